"""Is the robot fit to be relied on? Fed by the monitor, asked by whoever watches from outside."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from edge_ai.core.clock import Clock
from edge_ai.monitoring.readings import Readings, Sample

CRITICAL = ("camera", "inference", "control")
"""Nodes without which a robot is none, where they are there at all."""


class Health:
    """Ready means: fresh results come and no critical node is down. Alive is whoever can answer.

    Args:
        clock: its steady side tells how long nothing has come.
        patience: how long the monitor or the results may be silent, s.
        critical: nodes that must not be down; one counts from its first readings on.
    """

    def __init__(self, clock: Clock, *, patience: float = 5.0, critical: Sequence[str] = CRITICAL) -> None:
        self._clock, self._patience, self._critical = clock, patience, tuple(critical)
        self._lock = threading.Lock()
        self._faults: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._sampled: int | None = None
        self._results: int | None = None

    def update(self, sample: Sample) -> None:
        """What the monitor has just measured; its "fps" says whether results come."""
        with self._lock:
            self._sampled = sample.steady_ns
            if sample.readings.get("fps", 0.0) > 0.0:  # false for NaN
                self._results = sample.steady_ns
            for node in self._critical:
                if _speaks(node, sample.readings):
                    self._seen[node] = sample.steady_ns

    def node(self, name: str, fault: str) -> None:
        """What is wrong with a node ("control", "front/camera"), in words; empty: nothing any more."""
        with self._lock:
            if fault:
                self._faults[name] = fault
            else:
                self._faults.pop(name, None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the robot is not ready, in words; empty: it is."""
        with self._lock:
            now = self._clock.steady_ns()
            if self._sampled is None:
                return ("nothing has been measured yet",)
            reasons = [f"{name}: {fault}" for name, fault in sorted(self._faults.items()) if self._counts(name)]
            reasons += self._late("nothing measured", self._sampled, now)
            if self._results is None:
                reasons.append("no results yet")
            else:
                reasons += self._late("no results", self._results, now)
            for node, at in self._seen.items():
                if node not in self._faults:
                    reasons += self._late(f"{node}: silent", at, now)
            return tuple(reasons)

    @property
    def ready(self) -> bool:
        """Whether the robot does its work."""
        return not self.reasons

    def _counts(self, name: str) -> bool:
        return name.rpartition("/")[2] in self._critical

    def _late(self, what: str, since: int, now: int) -> list[str]:
        silent = (now - since) / 1e9
        return [f"{what} for {silent:.0f} s"] if silent > self._patience else []


def _speaks(node: str, readings: Readings) -> bool:
    """Whether any reading is that node's, in whatever namespace."""
    return any(name.startswith(f"{node}/") or f"/{node}/" in name for name in readings)
