"""Models that go: each on a thread of its own, for what hangs in one may never end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Retiring:
    """Ends things in the background, and knows which have not ended yet."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def add(self, name: str, *steps: Callable[[], object]) -> None:
        """Run the steps one after the other; returns at once.

        Args:
            name: of what goes.
            steps: wait for what is under way, then free it.
        """

        def run() -> None:
            for step in steps:
                try:
                    step()
                except Exception:
                    log.exception("freeing %s failed", name)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        with self._lock:
            self._threads.append(thread)

    def wait(self, timeout: float) -> str:
        """Wait until all have ended; the name of one that has not after so many seconds, else empty."""
        deadline = time.monotonic() + timeout
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            return self._threads[0].name if self._threads else ""
