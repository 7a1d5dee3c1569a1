"""How a node fares: readings once a second for the monitor, and one line every few seconds for the log."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence

import psutil

from edge_ai.core.clock import NS, Clock
from edge_ai.core.spans import recording
from edge_ai.monitoring.profiling.bottlenecks import bottlenecks
from edge_ai.monitoring.profiling.stages import Spread, StageTimes
from edge_ai.monitoring.readings import Readings

_HEAVY = 0.5  # share of the processing above which the log names a stage


class NodeStats:
    """What a node tells the monitor of itself once a second, collected from any thread.

    While a trace is recorded, each result's stages go into it as well.

    Args:
        clock: measures periods on its steady side.
        rates: names of counts that are told from the beginning, as 0 while nothing is counted; those of `add` are
            counted as "rate".
        traced: whether results go into a trace; not where somebody else of this process is told of them, too.

    Example:
        >>> stats = NodeStats(clock, rates=("rate", "dropped"))      # doctest: +SKIP
        >>> stats.add(result.timings, age)                           # doctest: +SKIP
        >>> stats.total("dropped", pipeline.counts.dropped)          # doctest: +SKIP
        >>> stats.readings()["rate"]                                 # doctest: +SKIP
        29.9
    """

    def __init__(self, clock: Clock, *, rates: Sequence[str] = ("rate",), traced: bool = True) -> None:
        self._clock, self._rates, self._traced = clock, tuple(rates), traced
        self._times = StageTimes(clock)
        self._lock = threading.Lock()
        self._counts: dict[str, float] = {}
        self._totals: dict[str, float] = {}
        self._gauges: dict[str, float] = {}
        self._process = psutil.Process(os.getpid())
        self._used = time.process_time()

    def add(self, timings: Mapping[str, float], age: float) -> None:
        """Count one result.

        Args:
            timings: seconds spent in each stage, in order; "wait" is no processing.
            age: seconds from capture to now.
        """
        self._times.add(timings, age)
        sink = recording()
        if sink is not None and self._traced:
            sink.journey(self._clock.steady_ns() - round(age * NS), timings)

    def count(self, name: str, n: float = 1) -> None:
        """Count what happens; told as times a second, under this name."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0.0) + n

    def total(self, name: str, value: float) -> None:
        """As `count`, for what is counted elsewhere since some beginning; one that falls has begun anew."""
        with self._lock:
            before = self._totals.get(name, 0.0)
            self._totals[name] = value
            self._counts[name] = self._counts.get(name, 0.0) + (value - before if value >= before else value)

    def gauge(self, name: str, value: float) -> None:
        """Tell a value as it is, from now until another is given."""
        with self._lock:
            self._gauges[name] = value

    def readings(self) -> Readings:
        """What came since the last call, or the beginning; names without that of the node.

        Returns:
            "rate" and other counts in 1/s; "age_p50", "age_p95", "age_p99", the same of "processing", "wait_p99" and
            "<stage>_p50" in s, absent where no result came; gauges; "memory" (bytes) and "cpu" (cores) of the process.
        """
        stages = self._times.take()
        with self._lock:
            counts, self._counts = self._counts, {}
            gauges = dict(self._gauges)
            used, self._used = self._used, time.process_time()
            spent = self._used - used
        told = dict.fromkeys((*self._rates, *self._totals), 0.0)
        told |= {name: count / stages.period for name, count in counts.items()}
        if stages.results:
            told["rate"] = stages.rate
        for name, spread in (("age", stages.age), ("processing", stages.processing)):
            if spread is not None:
                told |= {f"{name}_p50": spread.p50, f"{name}_p95": spread.p95, f"{name}_p99": spread.p99}
        told |= {f"{name}_p50": spread.p50 for name, spread in stages.stages.items()}
        if "wait" in stages.stages:
            told["wait_p99"] = stages.stages["wait"].p99
        return {**told, **gauges, "memory": float(self._process.memory_info().rss), "cpu": spent / stages.period}


class PerformanceLog:
    """Collects the timings of results and sums them up for a period.

    Args:
        clock: measures the period on its steady side.
    """

    def __init__(self, clock: Clock) -> None:
        self._times = StageTimes(clock)
        self._process = psutil.Process(os.getpid())
        self._dropped_before = self._failed_before = 0
        self._process.cpu_percent()
        psutil.cpu_percent()

    def add(self, timings: Mapping[str, float], age: float) -> None:
        """Count one result.

        Args:
            timings: seconds spent in each stage; "wait" is no processing.
            age: seconds from capture to the result.
        """
        self._times.add(timings, age)

    def line(self, *, dropped: int, failed: int = 0) -> str:
        """The summary of the period just ended; begins a new one.

        Args:
            dropped: frames dropped since the beginning.
            failed: inferences failed since the beginning.
        """
        stages = self._times.take()
        parts = [f"{stages.rate:.1f} results/s"]
        if stages.age is not None and stages.processing is not None:
            parts.append(f"processing {_words(stages.processing)}")
            parts.append(f"age {_words(stages.age)}")
            parts += [f"mostly {worst}" for worst in bottlenecks(stages.costs, _HEAVY)[:1]]
        parts.append(f"dropped {dropped - self._dropped_before}, failed {failed - self._failed_before}")
        self._dropped_before, self._failed_before = dropped, failed
        memory = psutil.virtual_memory()
        parts.append(
            f"cpu {psutil.cpu_percent():.0f} % (this process {self._process.cpu_percent():.0f} %), "
            f"memory {memory.percent:.0f} % (this process {self._process.memory_info().rss / 2**20:.0f} MiB)"
        )
        return " | ".join(parts)


def _words(spread: Spread) -> str:
    return f"p50 {spread.p50 * 1e3:.1f} ms p99 {spread.p99 * 1e3:.1f} ms"
