"""What has been asked of an engine that answers by camera and time of capture, and who waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_ai.routing.side import Outcome

Done = Callable[[Outcome], None]
_DROPPED = Outcome(dropped=True)


class Asked:
    """A ledger of frames under way. An engine answers the newest frame of a camera: an answer ends the older ones.

    Thread-safe; every ``done`` is called once, outside the lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[int, Done]] = {}
        self._newest: dict[str, int] = {}

    def add(self, camera: str, at_ns: int, done: Done) -> bool:
        """Note a frame before it is handed to the engine.

        Returns:
            False, with ``done`` told so, if a newer frame of this camera was asked before: it must not take its place.
        """
        with self._lock:
            late = at_ns <= self._newest.get(camera, -1)
            if not late:
                self._newest[camera] = at_ns
                self._waiting.setdefault(camera, {})[at_ns] = done
        if late:
            done(_DROPPED)
        return not late

    def end(self, camera: str, at_ns: int, outcome: Outcome) -> None:
        """A frame has ended; without its like in the ledger this does nothing."""
        with self._lock:
            done = self._waiting.get(camera, {}).pop(at_ns, None)
        if done is not None:
            done(outcome)

    def answer(self, camera: str, at_ns: int, outcome: Outcome) -> None:
        """As `end`, and the older frames of this camera will have no answer any more."""
        with self._lock:
            waiting = self._waiting.get(camera, {})
            over = [waiting.pop(older) for older in sorted(waiting) if older < at_ns]
        for done in over:
            done(_DROPPED)
        self.end(camera, at_ns, outcome)

    def forget(self, camera: str, at_ns: int) -> None:
        """Nobody waits for this frame any more."""
        with self._lock:
            self._waiting.get(camera, {}).pop(at_ns, None)

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._waiting.values()))
