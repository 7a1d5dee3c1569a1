"""What a run leaves behind: one row a frame, and counts over time at the servers."""

from __future__ import annotations

import math
from array import array
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.fleet.params import FleetParams

BIN_S = 0.5
"""Width of the bins of everything counted over time, s."""


class End(IntEnum):
    """How a frame ended."""

    OPEN = 0
    EDGE = 1
    CLOUD = 2
    MISSED = 3
    SKIPPED = 4
    DROPPED = 5


class Asked(IntEnum):
    """Who a policy asked first."""

    EDGE = 0
    CLOUD = 1
    NOBODY = 2


class Tally:
    """Collects while a simulation runs. Frames without a word of their end were dropped for newer ones."""

    def __init__(self, params: FleetParams) -> None:
        self.retries = 0
        self._robots, self._asked, self._ends = array("i"), array("b"), array("b")
        self._captured, self._latency = array("d"), array("d")
        self.bins = int(params.horizon / BIN_S) + 3
        self._counts = {name: [0.0] * self.bins for name in ("arrivals", "refusals", "images", "work")}
        self._samples: list[tuple[float, float, float]] = []

    def begin(self, robot: int, now: float) -> int:
        """A frame was captured; its number."""
        self._robots.append(robot)
        self._captured.append(now)
        self._asked.append(Asked.NOBODY)
        self._ends.append(End.OPEN)
        self._latency.append(math.nan)
        return len(self._robots) - 1

    def decided(self, frame: int, asked: Asked) -> None:
        """Who is to answer a frame."""
        self._asked[frame] = asked
        if asked is Asked.NOBODY:
            self._ends[frame] = End.SKIPPED

    def end(self, frame: int, end: End, now: float) -> None:
        """A frame has ended.

        Raises:
            RuntimeError: for the second time.
        """
        if self._ends[frame] != End.OPEN:
            raise RuntimeError(f"frame {frame} ended as {End(self._ends[frame]).name}, then as {end.name}")
        self._ends[frame] = end
        if end in (End.EDGE, End.CLOUD):
            self._latency[frame] = now - self._captured[frame]

    def close(self) -> None:
        """All is over: what is still open was given up for something newer."""
        for frame, end in enumerate(self._ends):
            if end == End.OPEN:
                self._ends[frame] = End.DROPPED

    def count(self, name: str, now: float, amount: float = 1.0) -> None:
        """Something happened at the servers: arrivals, refusals, images or work (s)."""
        self._counts[name][min(int(now / BIN_S), self.bins - 1)] += amount

    def sample(self, now: float, waiting: float, alone: float) -> None:
        """Requests that wait at a server on average, and the share of robots whose breaker is not closed."""
        self._samples.append((now, waiting, alone))

    def frames(self) -> dict[str, NDArray[Any]]:
        """The columns robot, captured (s), asked, end, latency (s; NaN: no answer), in order of capture."""
        return {
            "robot": np.array(self._robots),
            "captured": np.array(self._captured),
            "asked": np.array(self._asked),
            "end": np.array(self._ends),
            "latency": np.array(self._latency),
        }

    def counts(self) -> dict[str, NDArray[np.float64]]:
        """By bin of `BIN_S`: arrivals, refusals, images and work (s) at the servers."""
        return {name: np.array(values) for name, values in self._counts.items()}

    def samples(self) -> NDArray[np.float64]:
        """(S, 3): time, requests waiting at a server, share of robots whose breaker is not closed."""
        return np.array(self._samples, dtype=np.float64).reshape(-1, 3)
