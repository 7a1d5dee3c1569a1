"""What nodes say about themselves on /diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

Diagnosis = tuple[bytes, str, Mapping[str, object]]
"""Level, message and values."""


class Diagnostics:
    """Publishes the state of a node, and each thing that is wrong beside it as a status of its own."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(self, state: Diagnosis, beside: Iterable[tuple[str, bytes, str]]) -> None:
        """Publish.

        Args:
            state: of the node.
            beside: what it is about, level and message of each other status.
        """
        name = self._node.get_fully_qualified_name().lstrip("/")
        statuses = [diagnostic_status(name, *state)]
        statuses += [diagnostic_status(f"{name}: {about}", level, words, {}) for about, level, words in beside]
        array = DiagnosticArray(status=statuses)
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def diagnostic_status(name: str, level: bytes, message: str, values: Mapping[str, object]) -> DiagnosticStatus:
    """One status."""
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(name=name, hardware_id="edge_ai", level=level, message=message, values=pairs)
