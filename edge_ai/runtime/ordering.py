"""Results of several workers, put back into the order of capture."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class CaptureOrder(Generic[T]):
    """What is finished waits for what was captured before it and is still in work, but not for ever.

    Workers are never held up: it is the result that waits, for the rest of one inference at most, where dropping the
    older one would waste all of it.

    Args:
        patience: results that may wait for one that is older; with one more the older one is given up, and all that
            waited for it go out.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane[T]] = {}

    def begin(self, lane: str, at_ns: int) -> None:
        """Work on a frame begins; twice is once.

        Args:
            lane: of which camera it is; each has an order of its own.
            at_ns: when it was captured.
        """
        with self._lock:
            self._lane(lane).working.add(at_ns)

    def finish(self, lane: str, at_ns: int, result: T | None) -> list[T]:
        """A frame is finished, without a result if it failed; returns what may go out now, oldest first."""
        with self._lock:
            one = self._lane(lane)
            one.working.discard(at_ns)
            if result is not None and at_ns <= one.newest_ns:
                one.overtaken += 1
            elif result is not None:
                one.waiting[at_ns] = result
            return self._ready(one)

    def overtaken(self, lane: str) -> int:
        """Results of a camera that were older than one already handed out."""
        with self._lock:
            return self._lanes[lane].overtaken if lane in self._lanes else 0

    def _lane(self, name: str) -> _Lane[T]:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane()
        return lane

    def _ready(self, lane: _Lane[T]) -> list[T]:
        ready = []
        for at_ns in sorted(lane.waiting):
            older = {one for one in lane.working if one < at_ns}
            if older and len(lane.waiting) <= self._patience:
                break
            lane.working -= older  # given up: nothing waits for them any more
            ready.append(lane.waiting.pop(at_ns))
            lane.newest_ns = at_ns
        return ready


class _Lane(Generic[T]):
    """The frames of one camera."""

    __slots__ = ("newest_ns", "overtaken", "waiting", "working")

    def __init__(self) -> None:
        self.working: set[int] = set()
        self.waiting: dict[int, T] = {}
        self.newest_ns = -1
        self.overtaken = 0
