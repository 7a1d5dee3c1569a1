"""What the robot knows, as the sections of the page: one place for their fields, with or without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from edge_ai.control.command import Command
from edge_ai.core.types import Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.metric_names import node_of
from edge_ai.monitoring.readings import Sample
from edge_ai.routing.decision import Where
from edge_ai.routing.status import RouterStatus

Section = dict[str, Any]


def system(sample: Sample) -> Section:
    """The machine and the robot as a whole."""
    return {
        "readings": {name: value for name, value in sample.readings.items() if not node_of(name)[0]},
        "texts": sample.texts,
        "faults": sample.faults,
        "stamp": sample.stamp_ns / 1e9,
    }


def nodes(sample: Sample) -> Section:
    """The readings of each node by its name."""
    found: Section = {}
    for name, value in sample.readings.items():
        node, what = node_of(name)
        if node:
            found.setdefault(node, {})[what] = value
    return found


def alerts(active: Iterable[Alert], recent: Iterable[Alert] = ()) -> Section:
    """Those active now, and those that were, newest first."""
    return {"active": [alert(one) for one in active], "recent": [alert(one) for one in recent]}


def alert(one: Alert) -> Section:
    """One alert; "since" is in seconds since the epoch, "level" a word."""
    values = {field.name: getattr(one, field.name) for field in fields(one) if field.name != "since_ns"}
    return {**values, "level": one.level.name.lower(), "since": one.since_ns / 1e9}


def control(command: Command) -> Section:
    """What the wheels are told, and why."""
    return {
        "state": command.state.name,
        "reason": command.reason,
        "linear": command.velocity.linear,
        "angular": command.velocity.angular,
        "age": command.age_s,
    }


def result(one: Result) -> Section:
    """The newest answer of a model; "stamp" in seconds since the epoch, timings in seconds by stage."""
    return {
        "source": one.source,
        "reason": one.reason,
        "model": one.model_name,
        "count": len(one.detections),
        "stamp": one.header.stamp_ns / 1e9,
        "timings": one.timings,
    }


def routing(status: RouterStatus, shares: Mapping[Where, float]) -> Section:
    """Fields of msg/RouterStatus.msg by name.

    Args:
        status: of the router.
        shares: of the frames decided in the last second, 0 to 1, by side.
    """
    counts, edge, cloud = status.counts, status.edge.state, status.cloud.state
    names = ("failovers", "hedged", "hedges_won", "second_opinions", "overtaken", "expired", "failed", "repeated")
    return {
        "policy": status.policy,
        "override": status.override,
        "cloud": status.cloud.name,
        "cloud_fault": cloud.why,
        "breaker": status.cloud.breaker,
        **{f"{where.name.lower()}_share": shares[where] for where in Where},
        "edge_latency": edge.expected,
        "edge_latency_p95": edge.p95,
        "cloud_latency": cloud.expected,
        "cloud_latency_p95": cloud.p95,
        "cloud_in_flight": cloud.in_flight,
        "bandwidth": status.bandwidth,
        "rtt": status.rtt,
        "edge_answers": counts.answers[Where.EDGE],
        "cloud_answers": counts.answers[Where.CLOUD],
        **{name: getattr(counts, name) for name in names},
        "cancelled": status.cloud.counts.cancelled,
        "cloud_failed": status.cloud.counts.failed,
        "bytes_sent": status.cloud.counts.sent,
    }
