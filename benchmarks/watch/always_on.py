"""Part `always_on`: what statistics of stages cost a node that gives 100 results a second, and marks in the code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.topic import Context, Report
from edge_ai.core.clock import ManualClock
from edge_ai.core.spans import profiled
from edge_ai.monitoring.performance import NodeStats, PerformanceLog
from edge_ai.monitoring.profiling.spans import SpanRecorder

GOALS = {
    "cost": Goal("statistics of stages, always on, at 100 results/s: % of a core", None, 1.0, "lower"),
    "marks": Goal(
        "seven marked functions a result while nobody records, at 100 results/s: % of a core", None, 1, "lower"
    ),
}
RATE, LOG_PERIOD, MARKS = 100, 10, 7
"""Results a second, seconds from line to line of the log, marked functions that a result goes through."""
_TIMINGS = {"wait": 4e-4, "preprocess": 1.1e-3, "infer": 1.35e-2, "postprocess": 6e-4, "route": 3e-5}


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Processor time of all that for so many seconds of a robot's life; the values of the goals."""
    rounds, seconds = int(context.pick(5, 20)), 2 * LOG_PERIOD
    busy = [_statistics(seconds) / seconds for _ in range(rounds)]
    idle = [_marks(seconds * RATE * MARKS) / seconds for _ in range(rounds)]
    with SpanRecorder().running():
        recorded = [_marks(seconds * RATE * MARKS) / seconds for _ in range(rounds)]
    found = {"cost": median(busy) * 100, "marks": median(idle) * 100}
    report.results["always_on"] = {
        "what": f"NodeStats and PerformanceLog: {RATE} results/s of {len(_TIMINGS)} stages, read once a second, a line "
        f"every {LOG_PERIOD} s",
        "percent_of_a_core": found["cost"],
        "marks_percent_of_a_core": found["marks"],
        "marks_while_recorded_percent_of_a_core": median(recorded) * 100,
    }
    context.say(
        f"always on: {found['cost']:.3f} % of a core; {MARKS} marks a result {found['marks']:.3f} %, "
        f"{median(recorded) * 100:.3f} % while recorded"
    )
    return found


def _statistics(seconds: int) -> float:
    """Processor time of the statistics over so many seconds of a robot's life."""
    clock = ManualClock()
    stats, line = NodeStats(clock), PerformanceLog(clock)

    def live() -> None:
        for second in range(1, seconds + 1):
            for number in range(RATE):
                timings = {name: value * (1 + number / RATE) for name, value in _TIMINGS.items()}
                stats.add(timings, 0.016 + number * 1e-5)
                line.add(timings, 0.016 + number * 1e-5)
            clock.advance(1)
            stats.total("dropped", second)
            stats.gauge("queue", 1)
            stats.readings()
            if second % LOG_PERIOD == 0:
                line.line(dropped=second)

    return _used(live)


@profiled
def _marked() -> None:
    pass


def _plain() -> None:
    pass


def _marks(calls: int) -> float:
    """Processor time that marking a function adds to so many calls of it."""

    def call(function: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(calls):
                function()

        return run

    return _used(call(_marked)) - _used(call(_plain))


def _used(function: Callable[[], None]) -> float:
    begun = time.thread_time()
    function()
    return time.thread_time() - begun
