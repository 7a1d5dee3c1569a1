"""Part `whole`: what monitor, ladder, flight recorder and an unwatched page cost a robot that works at its limit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.goals import Goal
from benchmarks.sides import replay
from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.robot import Robot
from edge_ai.watched.params import WatchedParams
from edge_ai.watched.robot import WatchedRobot
from edge_ai.watched.watcher import Watcher

GOALS = {"kept": Goal("results/s of the watched robot over the bare one's", None, 0.95, "higher")}
_ROUNDS, _TURN, _START = (3, 10), 4.0, 1.0  # turns of each; s that count; s before
_RATE = 200.0  # Hz of the camera: more than any model here takes


class _Counter(Watcher):
    def __init__(self) -> None:
        self.results = 0

    def result(self, result: Result, frame: Frame) -> None:
        self.results += 1


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Both robots in turns; the values of the goals."""
    replay.register()
    params = _params(find_video(context.say), context.folder)
    ratios, rates = [], []
    for _ in range(int(context.pick(*_ROUNDS))):
        bare, watched = _rate(_bare, params), _rate(_watched, params)
        if not bare or not watched:
            raise MeasurementError("a robot gave no results")
        rates.append((bare, watched))
        ratios.append(watched / bare)
    kept = statistics.median(ratios)
    context.say(f"watched {kept:.3f} of the bare robot's results/s: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
    report.results["whole"] = {"results_s": rates, "ratios": ratios}
    return {"kept": kept}


def _params(video: str, folder: Path) -> WatchedParams:
    return WatchedParams.parse(
        {
            "camera": {"source": replay.address(video, _RATE)},
            "dashboard": {"port": 0},
            "recorder": {"folder": str(folder / "recordings"), "triggers": [""]},
            "monitor": {"alert_cpu": 0.0, "log_period": 0.0},
        }
    )


def _bare(params: WatchedParams, counter: _Counter) -> Robot:
    return Robot(
        params.camera,
        params.inference,
        params.control,
        SystemClock(),
        on_command=lambda command: None,
        on_result=counter.result,
    )


def _watched(params: WatchedParams, counter: _Counter) -> WatchedRobot:
    return WatchedRobot(params, SystemClock(), [counter])


def _rate(make: Callable[[WatchedParams, _Counter], Robot | WatchedRobot], params: WatchedParams) -> float:
    """Results a second of a robot made for one turn."""
    counter = _Counter()
    robot = make(params, counter)
    try:
        robot.prepare()
        robot.start()
        time.sleep(_START)
        before, begun = counter.results, time.monotonic()
        time.sleep(_TURN)
        return (counter.results - before) / (time.monotonic() - begun)
    finally:
        robot.close()
