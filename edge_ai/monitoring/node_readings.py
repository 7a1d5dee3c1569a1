"""What the nodes last said of themselves."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from edge_ai.core.clock import NS, Clock
from edge_ai.monitoring.readings import Readings


@dataclass(frozen=True, slots=True)
class _Told:
    at: int
    readings: Readings


class NodeReadings:
    """Takes readings from any thread, and forgets what is old.

    Args:
        clock: measures ages on its steady side.
        kept: how long readings count, s.
    """

    def __init__(self, clock: Clock, kept: float) -> None:
        self._clock, self._kept_ns = clock, round(kept * NS)
        self._lock = threading.Lock()
        self._told: dict[str, _Told] = {}

    def tell(self, node: str, readings: Readings) -> None:
        """Take a node's readings, by names without the node's."""
        told = _Told(self._clock.steady_ns(), {f"{node}/{name}": value for name, value in readings.items()})
        with self._lock:
            self._told[node] = told

    def forget(self, node: str) -> None:
        """Its silence is no fault from now on."""
        with self._lock:
            self._told.pop(node, None)

    def now(self) -> tuple[dict[str, float], dict[str, str]]:
        """All that counts, by full name; and the nodes that have fallen silent, with how long, in words."""
        readings: dict[str, float] = {}
        silent: dict[str, str] = {}
        now = self._clock.steady_ns()
        with self._lock:
            told = dict(self._told)
        for node, one in told.items():
            if now - one.at <= self._kept_ns:
                readings.update(one.readings)
            else:
                silent[node] = f"has said nothing for {(now - one.at) / NS:.0f} s"
        return readings, silent
