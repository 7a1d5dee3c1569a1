"""One line every few seconds that says how the robot's eyes are doing."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

import numpy as np
import psutil

from edge_ai.core.clock import Clock


class PerformanceLog:
    """Collects the timings of results and sums them up for a period.

    Args:
        clock: measures the period on its steady side.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._process = psutil.Process(os.getpid())
        self._dropped_before = self._failed_before = 0
        self._reset()
        self._process.cpu_percent()
        psutil.cpu_percent()

    def add(self, timings: Mapping[str, float], age: float) -> None:
        """Count one result.

        Args:
            timings: seconds spent in each stage; "wait" is no processing.
            age: seconds from capture to the result.
        """
        with self._lock:
            self._processing.append(sum(v for k, v in timings.items() if k != "wait"))
            self._ages.append(age)

    def line(self, *, dropped: int, failed: int = 0) -> str:
        """The summary of the period just ended; begins a new one.

        Args:
            dropped: frames dropped since the beginning.
            failed: inferences failed since the beginning.
        """
        with self._lock:
            seconds = max((self._clock.steady_ns() - self._since) / 1e9, 1e-9)
            rate, processing, ages = len(self._ages) / seconds, self._processing, self._ages
            self._reset()
        parts = [f"{rate:.1f} results/s"]
        if ages:
            parts.append(f"processing p50 {_ms(processing, 50)} p99 {_ms(processing, 99)}")
            parts.append(f"age p50 {_ms(ages, 50)} p99 {_ms(ages, 99)}")
        parts.append(f"dropped {dropped - self._dropped_before}, failed {failed - self._failed_before}")
        self._dropped_before, self._failed_before = dropped, failed
        memory = psutil.virtual_memory()
        parts.append(
            f"cpu {psutil.cpu_percent():.0f} % (this process {self._process.cpu_percent():.0f} %), "
            f"memory {memory.percent:.0f} % (this process {self._process.memory_info().rss / 2**20:.0f} MiB)"
        )
        return " | ".join(parts)

    def _reset(self) -> None:
        self._since = self._clock.steady_ns()
        self._processing: list[float] = []
        self._ages: list[float] = []


def _ms(seconds: list[float], percentile: float) -> str:
    return f"{float(np.percentile(seconds, percentile)) * 1e3:.1f} ms"
