"""Who has fallen silent without a word."""

from __future__ import annotations

import threading

from edge_ai.core.clock import NS, Clock


class Silence:
    """Notices a node that speaks once a second and ceases; safe between threads.

    Args:
        clock: measures on its steady side.
        patience: seconds of silence after which a node counts as lost.
    """

    def __init__(self, clock: Clock, patience: float = 3.0) -> None:
        self._clock, self._patience_ns = clock, round(patience * NS)
        self._lock = threading.Lock()
        self._heard: dict[str, int] = {}

    def heard(self, node: str, *, excused: bool = False) -> None:
        """A node has spoken.

        Args:
            node: its name.
            excused: it said that it will be silent; nobody misses it until it speaks again.
        """
        with self._lock:
            if excused:
                self._heard.pop(node, None)
            else:
                self._heard[node] = self._clock.steady_ns()

    def lost(self) -> list[str]:
        """Nodes that are silent, each once until it speaks again."""
        with self._lock:
            now = self._clock.steady_ns()
            lost = [node for node, at in self._heard.items() if now - at > self._patience_ns]
            for node in lost:
                del self._heard[node]
        return lost
