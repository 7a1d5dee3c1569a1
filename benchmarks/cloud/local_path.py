"""Part `local_path`: what the router adds to a frame that is answered here, in the composed robot."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.figures import in_ms
from benchmarks.goals import Goal
from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.capture.params import CameraParams
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import NS, Clock, SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.robot import Robot
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.side import Outcome, Source
from edge_ai.runtime.params import InferenceParams

GOALS = {"added": Goal("router's added latency on the local path, composed, ms", None, 0.3, "lower")}
_ROUNDS, _TURN = (3, 12), 3.0  # turns of each side, s
_WORK = ("preprocess", "infer", "postprocess")


class _Call:
    def cancel(self) -> None:
        """Nothing was sent."""


class NeverAsked:
    """A server that is there and gets no frame."""

    name, unready = "grpc://never-asked:1", ""

    def open(self) -> None:
        """It is open."""

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """It answers nothing that could be chosen from."""

    def ping(self, done: Callable[[float | Exception], None]) -> None:
        done(0.001)

    def close(self) -> None:
        """It holds nothing."""

    def expected_bytes(self, frame: Source) -> float:
        return 42_000.0

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> _Call:
        raise MeasurementError("the server was asked, against the override")


class _Way:
    """A robot, and how long its frames are under way without being worked on."""

    def __init__(self, video: str, *, routed: bool) -> None:
        self.seconds: list[float] = []
        self.decided: list[float] = []
        self._clock = SystemClock()
        self.robot = Robot(
            CameraParams(source=video, loop=True),
            InferenceParams(),
            ControlParams(),
            self._clock,
            on_command=lambda command: None,
            on_result=self._result,
            router=RouterParams(override="edge"),
            cloud=CloudParams(url="grpc://never-asked:1" if routed else ""),
            connect=_connect,
        )
        self.robot.prepare()

    def _result(self, result: Result, frame: Frame) -> None:
        age = (self._clock.steady_ns() - frame.header.steady_ns) / NS
        self.seconds.append(age - sum(result.timings[stage] for stage in _WORK))
        self.decided.append(result.timings.get("route", 0.0))

    def turn(self) -> list[float]:
        """What it was in one turn, seconds."""
        self.seconds = []
        self.robot.start()
        time.sleep(_TURN)
        self.robot.stop()
        return self.seconds[1:]


def _connect(params: CloudParams, clock: Clock, card: ModelCard) -> Any:
    return NeverAsked()


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Both robots in turns; the values of the goals.

    What is compared is the time from capture to result less that of the model's own stages, whose spread over frames
    and over the machine's moods is a hundred times what is looked for.
    """
    video = find_video(context.say)
    ways = {"robot": _Way(video, routed=False), "robot with router": _Way(video, routed=True)}
    found: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for _ in range(int(context.pick(*_ROUNDS))):
            for name, way in ways.items():
                found[name] += way.turn()
    finally:
        for way in ways.values():
            way.robot.close()
    if not all(found.values()):
        raise MeasurementError("a robot gave no results")
    plain, routed = (statistics.median(seconds) for seconds in found.values())
    context.say(f"local path: {plain * 1e3:.3f} ms, with a router {routed * 1e3:.3f} ms")
    what = "capture to result, less the model's stages"
    report.results["local_path"] = {
        "what": what,
        **{name: in_ms(seconds) for name, seconds in found.items()},
        "decision at the camera's rate": in_ms(ways["robot with router"].decided),
    }
    return {"added": (routed - plain) * 1e3}
