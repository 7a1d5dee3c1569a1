"""How long each stage of a result takes, always on: adding costs microseconds; summing up happens when asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_ai.core.clock import NS, Clock

KEPT = 4096
"""Newest values of a stage that percentiles are over, where more came in a period; results are counted all."""
_WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Spread:
    """How values spread, s."""

    p50: float
    p95: float
    p99: float
    mean: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value; percentiles are linear between neighbours."""
        ordered = sorted(values)
        p50, p95, p99 = (_percentile(ordered, share) for share in (0.5, 0.95, 0.99))
        return cls(p50, p95, p99, sum(ordered) / len(ordered))


@dataclass(frozen=True, slots=True)
class Stages:
    """What came of a period.

    Attributes:
        period: s.
        results: how many there were.
        age: from capture to result; None: there was no result.
        processing: all stages of a result but "wait"; None as for ``age``.
        stages: each by name, in the order in which they came up.
    """

    period: float
    results: int = 0
    age: Spread | None = None
    processing: Spread | None = None
    stages: Mapping[str, Spread] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Results a second."""
        return self.results / self.period

    @property
    def costs(self) -> dict[str, float]:
        """Mean seconds of each stage that is processing."""
        return {name: spread.mean for name, spread in self.stages.items() if name != _WAIT}


class StageTimes:
    """Collects the stages of results from any thread; memory is bounded.

    Args:
        clock: measures the period on its steady side.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begin()

    def add(self, timings: Mapping[str, float], age: float) -> None:
        """Count one result.

        Args:
            timings: seconds spent in each stage; "wait" is no processing.
            age: seconds from capture to the result.
        """
        with self._lock:
            self._results += 1
            self._ages.append(age)
            processing, stages = 0.0, self._stages
            for name, seconds in timings.items():
                if name != _WAIT:
                    processing += seconds
                values = stages.get(name)
                if values is None:
                    values = stages[name] = deque(maxlen=KEPT)
                values.append(seconds)
            self._processing.append(processing)

    def take(self) -> Stages:
        """What came since the last call or the beginning; begins a new period."""
        with self._lock:
            period = max((self._clock.steady_ns() - self._since) / NS, 1e-9)
            results, ages, processing, stages = self._results, self._ages, self._processing, self._stages
            self._begin()
        if not results:
            return Stages(period)
        spreads = {name: Spread.of(values) for name, values in stages.items()}
        return Stages(period, results, Spread.of(ages), Spread.of(processing), spreads)

    def _begin(self) -> None:
        self._since, self._results = self._clock.steady_ns(), 0
        self._ages: deque[float] = deque(maxlen=KEPT)
        self._processing: deque[float] = deque(maxlen=KEPT)
        self._stages: dict[str, deque[float]] = {}


def _percentile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
