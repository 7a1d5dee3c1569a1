"""How long a batch takes, learned for every size from those that ran."""

from __future__ import annotations

from collections import deque
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.clock import NS

Seconds = NDArray[np.float64]
STALE_NS = 60 * NS
_PAIRS, _RUNS, _TELLING = 200, 50, 5
_APART_NS = NS
_TELLS = 1.4  # times that one size must be the other for the two to be compared
_ENOUGH = 3
_NEAR = 0.2  # sizes closer than this share of one another are about the same
_FIXED = np.linspace(0.0, 1.0, 41)


class LatencyCurve:
    """Seconds over batch sizes: s (f + (1 - f) n), where f is the share of a single item's time that is fixed cost.

    On a machine that others keep busy now and then, or that throttles, times of sizes tell little by themselves: those
    that ran in a bad moment seem worse than they are, and it is in bad moments that large batches gather. So f comes
    only from runs of different sizes one after the other, by the least absolute deviations of the logarithms of their
    ratios; the scale s is the mean of the last runs, of which odd ones count as twice the median.

    Args:
        max_size: largest size to answer for.
    """

    def __init__(self, max_size: int) -> None:
        self._sizes = np.arange(max_size + 1, dtype=float)
        self._runs: deque[tuple[int, float]] = deque(maxlen=_RUNS)
        self._pairs: deque[tuple[int, int, float]] = deque(maxlen=_PAIRS)
        self._last_ns: dict[int, deque[int]] = {}
        self._ended_ns = 0
        self._cached: Seconds | None = None

    @property
    def known(self) -> int:
        """The largest size that ever ran; 0: none did."""
        return max(self._last_ns, default=0)

    def add(self, size: int, seconds: float, now_ns: int) -> None:
        """Learn from a run that just ended."""
        seconds = max(seconds, 1e-9)
        if self._runs and now_ns - self._ended_ns < _APART_NS:
            other, took = self._runs[-1]
            if max(size, other) >= _TELLS * min(size, other):
                self._pairs.append((other, size, seconds / took))
        self._runs.append((size, seconds))
        self._last_ns.setdefault(size, deque(maxlen=_ENOUGH)).append(now_ns)
        self._ended_ns = now_ns
        self._cached = None

    def stale(self, size: int, now_ns: int) -> bool:
        """Whether too few runs of about this size have been seen lately."""
        fresh = 0
        for other, lasts in self._last_ns.items():
            if abs(size - other) <= _NEAR * size:
                fresh += sum(now_ns - last < STALE_NS for last in lasts)
        return fresh < _ENOUGH

    def seconds(self) -> Seconds:
        """Time by size, (max_size + 1,), never falling; index 0 is 0. All 0 before anything ran."""
        if self._cached is None:
            fixed = self._fixed_share()
            shape = fixed + (1 - fixed) * self._sizes
            shape[0] = 0.0
            self._cached = self._scale(shape) * shape
        return self._cached

    def spread(self) -> float:
        """By which factor a run may take longer than expected: the 95th percentile of the last ones, at least 1."""
        if len(self._runs) < 8:
            return 1.25
        expected = self.seconds()
        ratios = sorted(took / float(expected[size]) for size, took in self._runs)
        return max(1.0, ratios[int(0.95 * len(ratios))])

    def _fixed_share(self) -> float:
        """Half, until there is something to tell it from."""
        if len(self._pairs) < _TELLING:
            return 0.5
        before, after, ratios = np.array(self._pairs).T
        shares = _FIXED[:, None]
        expected = np.log(shares + (1 - shares) * after) - np.log(shares + (1 - shares) * before)
        # By the size of the step, or a few large ones would outweigh all small ones.
        off = np.abs(np.log(ratios) - expected) / np.abs(np.log(after / before))
        return float(_FIXED[off.sum(axis=1).argmin()])

    def _scale(self, shape: Seconds) -> float:
        """The engine has to keep up with the mean, not with the median."""
        if not self._runs:
            return 0.0
        singles = [took / float(shape[size]) for size, took in self._runs]
        bound = 2 * median(singles)
        return fmean(min(one, bound) for one in singles)
