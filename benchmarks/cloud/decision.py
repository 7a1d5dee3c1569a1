"""Part `decision`: how long the router takes to decide about a frame, snapshot included."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np

from benchmarks.figures import in_ms, median
from benchmarks.goals import Goal
from benchmarks.topic import Context, Report
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Detections, Frame, FrameHeader, Result
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policy import policy_names
from edge_ai.routing.router import Router
from edge_ai.routing.side import Outcome, Source

GOALS = {"median": Goal("routing decision, slowest policy's median, µs", None, 50.0, "lower")}
_FRAMES = (2_000, 10_000)
_IMAGE = np.zeros((480, 640, 3), np.uint8)
_FOUND = Detections(
    np.array([[10, 10, 50, 90]], np.float32), np.array([0.7], np.float32), np.zeros(1, np.int32), ("person",)
)


class _Given:
    """A request that has ended."""

    def cancel(self) -> None:
        """Nothing is left to give up."""


class AtOnce:
    """A side that answers within the call, so that only the router takes time."""

    unready = ""

    def __init__(self, name: str, payload: int) -> None:
        self.name, self._payload = name, payload

    def ask(self, frame: Source, deadline_ns: int, done: object) -> _Given:
        result = Result(frame.header, _FOUND, "at once", "1", source=self.name)
        done(Outcome(result=result, sent=self._payload, service=1e-6))  # type: ignore[operator]
        return _Given()

    def expected_bytes(self, frame: Source) -> float:
        return float(self._payload)


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Time the decisions of each policy; the values of the goals."""
    found = {name: durations(name, int(context.pick(*_FRAMES))) for name in policy_names()}
    for name, seconds in found.items():
        context.say(f"decision by {name}: {median(seconds) * 1e6:.1f} µs")
    report.results["decision"] = {name: in_ms(seconds) for name, seconds in found.items()}
    return {"median": max(median(seconds) for seconds in found.values()) * 1e6}


def durations(policy: str, count: int) -> list[float]:
    """Seconds that decisions took, by the router's own clock, as results carry them in ``timings["route"]``."""
    seconds: list[float] = []
    router = Router(
        AtOnce("edge", 0),
        AtOnce("sim://server", 42_000),
        RouterParams(policy=policy, min_confidence=0.5),
        SystemClock(),
        on_result=lambda result, frame: seconds.append(result.timings["route"]),
        rng=random.Random(1),
    )
    router.start()
    try:
        for _ in range(count):
            router.offer(_frame(len(seconds)))
            router.pinged(1e-3)
    finally:
        router.stop()
    return seconds[count // 10 :]


def _frame(index: int) -> Frame:
    clock = SystemClock()
    return Frame(FrameHeader(clock.stamp_ns(), clock.steady_ns(), "camera", index, 640, 480), _IMAGE)
