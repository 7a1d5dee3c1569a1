"""router/status: who answers the frames, once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from std_msgs.msg import Header

from edge_ai.msg import RouterStatus
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import STATUS
from edge_ai.routing.report import RouterReporter
from edge_ai.routing.status import RouterStatus as Status

_PERIOD = 1.0  # s


class RouterStatusPublisher:
    """Publishes the state of a router and logs changes of the server's.

    Args:
        node: publishes.
        ask: gives the state; None: there is none now.

    Attributes:
        report: the newest, by field of the message.
    """

    def __init__(self, node: ManagedNode, ask: Callable[[], Status | None]) -> None:
        self._node, self._ask = node, ask
        self._publisher = node.publisher(RouterStatus, "router/status", STATUS)
        self._timer: Any = node.every(_PERIOD, self._publish)
        self._reporter = RouterReporter()
        self._breaker = ""
        self.report: Mapping[str, Any] = {}

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
        header = Header(stamp=convert.ns_to_time(self._node.clock.stamp_ns()))
        self.report = self._reporter.report(status)
        self._publisher.publish(RouterStatus(header=header, **self.report))
