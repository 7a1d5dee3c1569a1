"""router/status: who answers the frames, once a second."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from std_msgs.msg import Header

from edge_ai.msg import RouterStatus
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import STATUS
from edge_ai.routing.decision import Where
from edge_ai.routing.status import RouterStatus as Status

_PERIOD = 1.0  # s


class RouterStatusPublisher:
    """Publishes the state of a router and logs changes of the server's.

    Args:
        node: publishes.
        ask: gives the state; None: there is none now.
    """

    def __init__(self, node: ManagedNode, ask: Callable[[], Status | None]) -> None:
        self._node, self._ask = node, ask
        self._publisher = node.publisher(RouterStatus, "router/status", STATUS)
        self._timer: Any = node.every(_PERIOD, self._publish)
        self._before: dict[Where, int] = dict.fromkeys(Where, 0)
        self._breaker = ""

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publishers(self._publisher)

    def _publish(self) -> None:
        status = self._ask()
        if status is None:
            return
        if status.cloud.breaker != self._breaker:
            if self._breaker:
                words = f"cloud {status.cloud.name}: {status.cloud.breaker} {status.cloud.state.why}"
                self._node.get_logger().info(words)
            self._breaker = status.cloud.breaker
        shares, self._before = _shares(self._before, status.counts.decisions), dict(status.counts.decisions)
        header = Header(stamp=convert.ns_to_time(self._node.clock.stamp_ns()))
        self._publisher.publish(to_msg(status, header, shares))


def to_msg(status: Status, header: Header, shares: dict[Where, float]) -> RouterStatus:
    """A router's state; ``shares`` of the last second by side."""
    counts, edge, cloud = status.counts, status.edge.state, status.cloud.state
    return RouterStatus(
        header=header,
        policy=status.policy,
        override=status.override,
        cloud=status.cloud.name,
        cloud_fault=cloud.why,
        breaker=status.cloud.breaker,
        edge_share=shares[Where.EDGE],
        cloud_share=shares[Where.CLOUD],
        skip_share=shares[Where.SKIP],
        edge_latency=edge.expected,
        edge_latency_p95=edge.p95,
        cloud_latency=cloud.expected,
        cloud_latency_p95=cloud.p95,
        cloud_in_flight=cloud.in_flight,
        bandwidth=status.bandwidth,
        rtt=status.rtt,
        edge_answers=counts.answers[Where.EDGE],
        cloud_answers=counts.answers[Where.CLOUD],
        failovers=counts.failovers,
        hedged=counts.hedged,
        hedges_won=counts.hedges_won,
        second_opinions=counts.second_opinions,
        overtaken=counts.overtaken,
        expired=counts.expired,
        failed=counts.failed,
        cancelled=status.cloud.counts.cancelled,
        cloud_failed=status.cloud.counts.failed,
        repeated=counts.repeated,
        bytes_sent=status.cloud.counts.sent,
    )


def _shares(before: dict[Where, int], now: dict[Where, int]) -> dict[Where, float]:
    decided = {where: now[where] - before[where] for where in Where}
    if min(decided.values()) < 0:  # a router made anew
        decided = now
    total = sum(decided.values())
    return {where: count / total if total else math.nan for where, count in decided.items()}
