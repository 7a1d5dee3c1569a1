"""Topics that are looked into now and then: what comes wakes nobody."""

from __future__ import annotations

import time
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile

_SEQUENCE = "publication_sequence_number"  # of the message's info, from Jazzy on


class Withheld(CallbackGroup):
    """Keeps what is made with it out of the executor's hands."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        """Nothing to give back."""


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
        missed: messages of the publisher that never were taken: pushed out of the history, or lost on the way. Counted
            from Jazzy on, where the middleware numbers messages, and for one publisher.
    """

    def __init__(self, node: Node, kind: Any, topic: str, qos: QoSProfile, *, raw: bool = False) -> None:
        self._node = node
        self._subscription = node.create_subscription(kind, topic, id, qos, callback_group=Withheld(), raw=raw)
        self.topic: str = node.resolve_topic_name(topic)
        self.missed = 0
        self._last = 0

    def take(self) -> tuple[Any, int] | None:
        """The next message and when it was received, ns of the wall clock; None if there is none."""
        handle = self._subscription.handle
        with handle:
            taken = handle.take_message(self._subscription.msg_type, self._subscription.raw)
        if taken is None:
            return None
        message, info = taken
        self._count(info.get(_SEQUENCE) or 0)
        return message, int(info["received_timestamp"]) or time.time_ns()

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

    def _count(self, number: int) -> None:
        gap = number - self._last - 1 if self._last else 0
        if gap > 0 and self._node.count_publishers(self.topic) < 2:
            self.missed += gap
        self._last = number
