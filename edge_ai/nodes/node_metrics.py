"""node_metrics: how a node fares, once a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from std_msgs.msg import Header

from edge_ai.core.clock import NS
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import NodeMetrics, Reading
from edge_ai.nodes import convert
from edge_ai.nodes.qos import STATUS


class MetricsPublisher:
    """Publishes readings under the names of doc/watching.md.

    Args:
        node: publishes; its name stands in the message, relative to the namespace of the topic.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._publisher = node.publisher(NodeMetrics, "node_metrics", STATUS)
        self._before_ns = node.clock.steady_ns()
        self._parts: dict[str, object] = {node.get_name(): None}

    def publish(self, parts: Mapping[str, Readings]) -> None:
        """Publish one message for each part.

        Args:
            parts: what is known, by name of the node, or of a part of a composed one.
        """
        now = self._node.clock.steady_ns()
        self._parts.update(parts)
        period, self._before_ns = (now - self._before_ns) / NS, now
        for name, readings in parts.items():
            self._send(name, period, readings)

    def excuse(self) -> None:
        """Say that silence from now until the next metrics is no crash, by a message of no period."""
        for name in self._parts:
            self._send(name, 0.0, {})

    def _send(self, name: str, period: float, readings: Readings) -> None:
        header = Header(stamp=convert.ns_to_time(self._node.clock.stamp_ns()))
        self._publisher.publish(
            NodeMetrics(header=header, node=name, period=period, readings=readings_to_msg(readings))
        )


def readings_to_msg(readings: Readings) -> list[Reading]:
    """Names and values."""
    return [Reading(name=name, value=float(value)) for name, value in readings.items()]


def readings_from_msg(readings: list[Reading]) -> dict[str, float]:
    """Values by name."""
    return {reading.name: reading.value for reading in readings}
