"""A router's state as its message has it: flat, with the shares of the frames decided since the one before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edge_ai.routing.decision import Where
from edge_ai.routing.status import RouterStatus

_TOLD = ("edge_share", "cloud_share", "skip_share", "edge_latency", "cloud_latency", "bandwidth")


def readings(report: Mapping[str, Any]) -> dict[str, float]:
    """What the monitor wants of a report, by the names of doc/watching.md without that of the node."""
    told = {name: float(report[name]) for name in _TOLD}
    return {**told, "cloud_ready": float(bool(report["cloud"]) and not report["cloud_fault"])}


class RouterReporter:
    """Makes one report after the other."""

    def __init__(self) -> None:
        self._before: dict[Where, int] = dict.fromkeys(Where, 0)

    def report(self, status: RouterStatus) -> dict[str, object]:
        """The fields of msg/RouterStatus.msg but for its header, by name and in its order."""
        counts, edge, cloud = status.counts, status.edge.state, status.cloud.state
        shares = self._shares(counts.decisions)
        return {
            "policy": status.policy,
            "override": status.override,
            "cloud": status.cloud.name,
            "cloud_fault": cloud.why,
            "breaker": status.cloud.breaker,
            "edge_share": shares[Where.EDGE],
            "cloud_share": shares[Where.CLOUD],
            "skip_share": shares[Where.SKIP],
            "edge_latency": edge.expected,
            "edge_latency_p95": edge.p95,
            "cloud_latency": cloud.expected,
            "cloud_latency_p95": cloud.p95,
            "cloud_in_flight": cloud.in_flight,
            "bandwidth": status.bandwidth,
            "rtt": status.rtt,
            "edge_answers": counts.answers[Where.EDGE],
            "cloud_answers": counts.answers[Where.CLOUD],
            "failovers": counts.failovers,
            "hedged": counts.hedged,
            "hedges_won": counts.hedges_won,
            "second_opinions": counts.second_opinions,
            "overtaken": counts.overtaken,
            "expired": counts.expired,
            "failed": counts.failed,
            "cancelled": status.cloud.counts.cancelled,
            "cloud_failed": status.cloud.counts.failed,
            "repeated": counts.repeated,
            "bytes_sent": status.cloud.counts.sent,
        }

    def _shares(self, now: dict[Where, int]) -> dict[Where, float]:
        before, self._before = self._before, dict(now)
        decided = {where: now[where] - before[where] for where in Where}
        if min(decided.values()) < 0:  # a router made anew
            decided = now
        total = sum(decided.values())
        return {where: count / total if total else math.nan for where, count in decided.items()}
