"""What the executor leaves alone: messages that somebody else takes when they are wanted, and how many were missed."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.subscription import Subscription

_SEQUENCE = "publication_sequence_number"  # of the message's info, from Jazzy on


class Withheld(CallbackGroup):
    """Keeps what is made with it out of the executor's hands."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return self.can_execute(entity)

    def ending_execution(self, entity: Any) -> None:
        """Nothing to give back."""


class Taken:
    """Takes the messages of one subscription. Not for several threads at once.

    Args:
        subscription: its history holds what is not taken yet.

    Attributes:
        missed: messages of the publisher that never were taken: pushed out of the history, or lost on the way. Counted
            from Jazzy on, where the middleware numbers messages, and for one publisher.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self.missed = self._last = 0

    def take(self) -> tuple[Any, dict[str, Any]] | None:
        """The next message, or bytes if the subscription is raw, and what the middleware says of it; None: none."""
        handle = self._subscription.handle
        with handle:
            taken: tuple[Any, dict[str, Any]] | None = handle.take_message(
                self._subscription.msg_type, self._subscription.raw
            )
        if taken is not None:
            self._count(taken[1].get(_SEQUENCE) or 0)  # None where the middleware does not number
        return taken

    def _count(self, number: int) -> None:
        # Each publisher counts from one: of several nobody can tell which message is whose.
        gap = number - self._last - 1 if self._last else 0
        if gap > 0 and self._subscription.get_publisher_count() < 2:
            self.missed += gap
        self._last = number
