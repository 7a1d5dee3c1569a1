"""What the nodes around a monitor tell of themselves, as they come and go."""

from __future__ import annotations

import time
from typing import Any

from edge_ai.monitoring.readings import Readings
from edge_ai.msg import NodeMetrics
from edge_ai.nodes.mailbox import Mailbox
from edge_ai.nodes.neighbours import Neighbours
from edge_ai.nodes.node_metrics import readings_from_msg
from edge_ai.nodes.qos import STATUS

_LOOK = 3.0  # s between two looks for cameras in namespaces of their own


class MetricsInbox:
    """Listens to node_metrics in the namespaces of this robot; for one thread.

    Args:
        node: listens.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._neighbours = Neighbours(node)
        self._boxes: dict[str, Mailbox] = {}
        self._look_at = 0.0

    def take(self) -> list[tuple[str, Readings | None]]:
        """What has come since the last call: nodes by their names in this robot, such as "front/camera".

        None for a node that is about to be silent, or has just ended.
        """
        self._look()
        told = []
        for inside, box in self._boxes.items():
            for message, _ in box.all():
                name = self._neighbours.relative(f"{inside.rstrip('/')}/{message.node}")
                told.append((name, readings_from_msg(message.readings) if message.period else None))
        return told

    def close(self) -> None:
        """Listen no more."""
        for box in self._boxes.values():
            box.close()
        self._boxes.clear()

    def _look(self) -> None:
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK
        wanted = {self._node.get_namespace(), *self._neighbours.namespaces()}
        for inside in self._boxes.keys() - wanted:
            self._boxes.pop(inside).close()
        for inside in wanted - self._boxes.keys():
            self._boxes[inside] = Mailbox(self._node, NodeMetrics, f"{inside.rstrip('/')}/node_metrics", STATUS)
