"""How long a batch takes, learned for every size from those that ran."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.clock import NS

Seconds = NDArray[np.float64]
WINDOW = 25
"""Runs of a size that its time is made of: a few odd ones change little, a slower clock soon does."""
STALE_NS = 60 * NS
_ENOUGH = 3
_DOUBT = 4.0  # runs that the line weighs as much as
_NEAR = 0.2  # sizes closer than this share of one another tell each other's time


class LatencyCurve:
    """Seconds over batch sizes.

    A size that ran has the mean of its last runs, of which odd ones count as twice the median; the fewer there are, the
    nearer it is moved to the least-squares line a + b n through all. Other sizes lie on straight lines between their
    neighbours, and beyond the largest on a line of slope b. One size alone is taken to be half fixed cost and half work
    per item.

    Args:
        max_size: largest size to answer for.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._runs: dict[int, deque[float]] = {}
        self._last_ns: dict[int, deque[int]] = {}
        self._ratios: deque[float] = deque(maxlen=64)
        self._cached: Seconds | None = None

    @property
    def known(self) -> int:
        """The largest size that ever ran; 0: none did."""
        return max(self._runs, default=0)

    def add(self, size: int, seconds: float, now_ns: int) -> None:
        """Learn from a run that just ended."""
        runs = self._runs.setdefault(size, deque(maxlen=WINDOW))
        if len(runs) >= 3:
            self._ratios.append(seconds / max(median(runs), 1e-9))
        runs.append(seconds)
        self._last_ns.setdefault(size, deque(maxlen=_ENOUGH)).append(now_ns)
        self._cached = None

    def stale(self, size: int, now_ns: int) -> bool:
        """Whether too few runs of about this size have been seen lately to tell its time."""
        fresh = 0
        for other, lasts in self._last_ns.items():
            if abs(size - other) <= _NEAR * size:
                fresh += sum(now_ns - last < STALE_NS for last in lasts)
        return fresh < _ENOUGH

    def seconds(self) -> Seconds:
        """Time by size, (max_size + 1,), never falling; index 0 is 0. Meaningless before anything ran."""
        if self._cached is None:
            self._cached = self._estimate()
        return self._cached

    def spread(self) -> float:
        """By which factor a run may take longer than expected: the 95th percentile of the last ones, at least 1."""
        if len(self._ratios) < 8:
            return 1.25
        return max(1.0, sorted(self._ratios)[int(0.95 * len(self._ratios))])

    def _estimate(self) -> Seconds:
        sizes = np.array(sorted(self._runs), float)
        wanted = np.arange(self._max_size + 1, dtype=float)
        if len(sizes) == 0:
            return np.zeros_like(wanted)
        runs = [self._runs[int(size)] for size in sizes]
        counts = np.array([len(one) for one in runs], float)
        times = np.array([_usual(one) for one in runs])
        centre, middle = np.average(sizes, weights=counts), np.average(times, weights=counts)
        slope = 0.5 * times[0] / sizes[0]
        if len(sizes) > 1:
            away = sizes - centre
            slope = max(0.0, float(np.sum(counts * away * times) / np.sum(counts * away**2)))
        line = np.maximum(middle + slope * (sizes - centre), 0.1 * times.min())
        times = (counts * times + _DOUBT * line) / (counts + _DOUBT)
        curve = np.interp(wanted, sizes, times)
        curve += slope * np.maximum(0.0, wanted - sizes[-1])
        # Below the smallest, too, but a run always costs something.
        curve = np.maximum(curve - slope * np.maximum(0.0, sizes[0] - wanted), 0.1 * times[0])
        curve[0] = 0.0
        return np.asarray(np.maximum.accumulate(curve))


def _usual(runs: Iterable[float]) -> float:
    """Their mean without what is odd about a few; the engine has to keep up with the mean, not with the median."""
    bound = 2 * median(runs)
    return fmean(min(one, bound) for one in runs)
