"""When Python's cyclic garbage collector runs, and over what."""

from __future__ import annotations

import gc
import threading
import time

_BEAT = 0.5  # s between two looks at what has been made
_LONGEST = 10.0  # s between two collections
_MOST = 20_000  # objects made and not freed that call for a collection at the next look


class Collector:
    """Keeps the collector away from what lives as long as the process, and on request from the hot path.

    A full collection looks at every object there is while all threads wait. Frozen objects it passes over, so what
    remains is quick. Nothing frozen is collected before `stop`, also no cycle.

    Args:
        manual: switch the automatic collector off and collect on a thread of its own: every 10 s, and half a second
            after 20,000 objects have been made and not freed at the latest. So garbage in cycles cannot pile up.
    """

    def __init__(self, *, manual: bool) -> None:
        self._manual = manual
        self._was_on = gc.isenabled()
        self._done = threading.Event()
        self._next = 0.0
        self._thread = threading.Thread(target=self._run, name="gc", daemon=True)

    def start(self) -> None:
        """Collect once, freeze what is left; call once."""
        gc.collect()
        gc.freeze()
        if self._manual:
            gc.disable()
            self._next = time.monotonic() + _LONGEST
            self._thread.start()

    def stop(self) -> None:
        """Let Python collect as it did before; harmless when called twice."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._was_on:
            gc.enable()
        gc.unfreeze()

    def look(self, now: float) -> bool:
        """Collect if it is time.

        Args:
            now: seconds on the steady clock.

        Returns:
            Whether it collected.
        """
        if now < self._next and gc.get_count()[0] < _MOST:
            return False
        gc.collect()
        self._next = now + _LONGEST
        return True

    def _run(self) -> None:
        while not self._done.wait(_BEAT):
            self.look(time.monotonic())
