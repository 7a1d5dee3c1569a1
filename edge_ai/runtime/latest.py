"""A mailbox that holds only the newest item."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """One place between two threads; a newer item replaces one not yet taken."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> None:
        """Leave an item, replacing one that still waits. Ignored once closed."""
        with self._ready:
            if not self._closed:
                self._item = item
                self._ready.notify_all()

    def get(self, timeout: float | None = None) -> T | None:
        """Take the newest item, waiting for one.

        Args:
            timeout: seconds to wait at most; None waits until there is one or the slot is closed.

        Returns:
            The item, or None after the timeout or once the slot is closed.
        """
        with self._ready:
            self._ready.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wake every waiter with nothing; what still waits is let go."""
        with self._ready:
            self._closed = True
            self._item = None
            self._ready.notify_all()
