"""Topics that are looked into now and then: what comes wakes nobody."""

from __future__ import annotations

import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile

from edge_ai.nodes.untaken import Taken, Withheld


class Mailbox:
    """One subscription; its history holds what is not taken yet. For one thread.

    Args:
        node: subscribes.
        kind: of the messages.
        topic: their topic.
        qos: as that of who publishes: nobody tells if they do not fit.
        raw: messages are the bytes that came over the wire.

    Attributes:
        topic: its full name.
    """

    def __init__(self, node: Node, kind: Any, topic: str, qos: QoSProfile, *, raw: bool = False) -> None:
        self._node = node
        self._subscription = node.create_subscription(kind, topic, id, qos, callback_group=Withheld(), raw=raw)
        self.topic: str = node.resolve_topic_name(topic)
        self._taken = Taken(self._subscription)

    def take(self) -> tuple[Any, int] | None:
        """The next message and when it was received, ns of the wall clock; None if there is none."""
        taken = self._taken.take()
        if taken is None:
            return None
        message, info = taken
        return message, int(info["received_timestamp"]) or time.time_ns()

    @property
    def missed(self) -> int:
        """As of `Taken`."""
        return self._taken.missed

    def all(self) -> list[tuple[Any, int]]:
        """All that have come."""
        got = []
        while (one := self.take()) is not None:
            got.append(one)
        return got

    def newest(self) -> Any:
        """The newest message that has come; None if there is none."""
        got = self.all()
        return got[-1][0] if got else None

    def close(self) -> None:
        """Subscribe no more."""
        self._node.destroy_subscription(self._subscription)
