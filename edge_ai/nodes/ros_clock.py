"""The clock of a node."""

from __future__ import annotations

import time

from rclpy.node import Node


class RosClock:
    """ROS time for stamps, the machine's steady clock for ages."""

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()

    def stamp_ns(self) -> int:
        return int(self._clock.now().nanoseconds)

    def steady_ns(self) -> int:
        return time.monotonic_ns()
