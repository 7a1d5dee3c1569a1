"""The readings of the last while, in memory that does not grow."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_ai.core.clock import NS
from edge_ai.monitoring.readings import Sample

_MOST_METRICS = 512


@dataclass(frozen=True, slots=True)
class Span:
    """What was read over a while.

    Attributes:
        names: of the metrics, K.
        values: (N, K) float32, oldest first; NaN where one could not be read.
        seconds: from the first sample to the last.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    seconds: float


class History:
    """A ring of samples.

    Args:
        samples: how many are kept: 4 bytes each and metric. Of more than 512 metrics those that come later are left
            out, until one that was kept has not been read over the whole ring.
    """

    def __init__(self, samples: int) -> None:
        self._lock = threading.Lock()
        self._times = np.zeros(samples, np.int64)
        self._values = np.full((16, samples), np.nan, np.float32)  # a row a metric
        self._rows: dict[str, int] = {}
        self._count = 0

    def add(self, sample: Sample) -> None:
        """Keep a sample; the oldest goes where the ring is full."""
        with self._lock:
            column = self._count % len(self._times)
            self._values[:, column] = np.nan
            for name, value in sample.readings.items():
                row = self._rows.get(name)
                if row is None and (row := self._new_row(name)) is None:
                    continue
                self._values[row, column] = value
            self._times[column] = sample.steady_ns
            self._count += 1

    def last(self, seconds: float = 0.0) -> Span:
        """A copy of what was read in the last while, back from the newest sample.

        Args:
            seconds: how far back; 0: all that is kept.
        """
        with self._lock:
            size = len(self._times)
            kept = min(self._count, size)
            order = np.arange(self._count - kept, self._count) % size
            times = self._times[order]
            if seconds and kept:
                order = order[times >= times[-1] - round(seconds * NS)]
                times = times[len(times) - len(order) :]
            names = tuple(self._rows)
            rows = np.array([self._rows[name] for name in names], np.int64)
            values = self._values[rows[:, None], order].T
        return Span(names, values, float(times[-1] - times[0]) / NS if len(times) else 0.0)

    def _new_row(self, name: str) -> int | None:
        row = len(self._rows)
        if row == _MOST_METRICS:
            return self._reuse(name)
        if row == len(self._values):
            more = np.full_like(self._values, np.nan)
            self._values = np.concatenate([self._values, more])
        self._rows[name] = row
        return row

    def _reuse(self, name: str) -> int | None:
        """Take the row of a metric that nobody has read for as long as the ring reaches."""
        old = next((old for old, row in self._rows.items() if np.isnan(self._values[row]).all()), None)
        if old is None:
            return None
        row = self._rows[name] = self._rows.pop(old)
        return row
