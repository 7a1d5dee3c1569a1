"""What the robot knows, as the sections of the page: one place for their fields, with or without ROS.

Section "routing" is a report of `routing.report.RouterReporter`, "recorder" the fields of msg/RecorderStatus.msg,
"update" those of msg/ModelUpdate.msg.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from edge_ai.control.command import Command
from edge_ai.core.types import Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.metric_names import node_of
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample

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


def mitigation(status: MitigationStatus) -> Section:
    """How the ladder stands; "since" in seconds since the epoch, states in words."""
    steps = [
        {
            "name": step.name,
            "state": step.state.name.lower(),
            "detail": step.detail,
            "since": step.since_ns / 1e9,
            "before": step.before,
            "after": step.after,
        }
        for step in status.steps
    ]
    return {"level": status.level, "changes": status.changes, "message": status.message, "steps": steps}


class AlertLog:
    """Remembers the alerts that are over, for an operator who has just come.

    Args:
        kept: how many.
    """

    def __init__(self, kept: int = 12) -> None:
        self._over: deque[Section] = deque(maxlen=kept)

    def event(self, one: Alert, stamp_ns: int) -> None:
        """One that has just been raised or is over.

        Args:
            one: the monitor's event.
            stamp_ns: ROS time of it, ns since the epoch.
        """
        if not one.active:
            self._over.appendleft({**alert(one), "until": stamp_ns / 1e9})

    def section(self, active: Iterable[Alert]) -> Section:
        """Those active now, then those that are over, newest first."""
        return {"active": [alert(each) for each in active], "recent": list(self._over)}
