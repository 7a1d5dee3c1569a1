"""Part `failover`: a real Triton that is killed under load, and a link that swallows everything."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.figures import in_ms
from benchmarks.goals import Goal
from benchmarks.sides import replay
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.robot import Robot
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.runtime.params import InferenceParams

if TYPE_CHECKING:
    from impairment.proxy import TcpProxy
    from serving.server import TritonServer

GOALS = {
    "resume": Goal("cloud killed: time until local results resume, median, ms", None, 100.0, "lower"),
    "lost": Goal("cloud killed: results lost beyond those in flight", None, 0.0, "lower"),
    "rate": Goal("cloud killed: results/s over edge-only", None, 0.97, "higher"),
    "swallowed_rate": Goal("cloud swallows everything: results/s over edge-only", None, 0.97, "higher"),
}
_TRIALS, _RATE, _WINDOW = (3, 10), 10.0, 4.0  # of each kind; Hz of the camera; s looked at after the event
_READY, _STEADY, _POLL = 40.0, 70, 0.01  # s; answers of the cloud in a row before it is taken away; s
# A server that is there again is asked again soon: what is measured is how it goes away.
_ROUTING = {"override": "cloud", "breaker_pause": 0.3, "breaker_longest": 1.0, "breaker_ramp": 0.0}


@dataclass
class _Seen:
    """Times of captures, and of results by capture, all steady ns."""

    frames: list[int] = field(default_factory=list)
    results: dict[int, tuple[int, str]] = field(default_factory=dict)

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame.header.steady_ns)

    def result(self, result: Result, frame: Frame) -> None:
        self.results[frame.header.steady_ns] = (time.monotonic_ns(), result.source)

    def lost(self, begin: int, end: int) -> int:
        """Frames captured in a stretch of time that got no result."""
        return sum(begin <= at < end and at not in self.results for at in list(self.frames))

    def rate(self, begin: int, end: int) -> float:
        """Results that came in a stretch of time, a second."""
        return sum(begin <= at < end for at, _ in list(self.results.values())) * NS / (end - begin)

    def local_after(self, begin: int) -> float:
        """Seconds until the first result from here; inf: none came."""
        times = [at for at, source in list(self.results.values()) if at >= begin and source == "edge"]
        return (min(times) - begin) / NS if times else float("inf")

    def in_cloud(self, count: int) -> bool:
        """Whether the newest results are all of the cloud."""
        newest = sorted(self.results.items())[-count:]
        return len(newest) == count and all(source != "edge" for _, (_, source) in newest)


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Take the cloud away again and again; the values of the goals."""
    sys.path.append(str(ROOT / "tools"))
    from impairment.schedule import Conditions

    replay.register()
    kills: list[dict[str, float]] = []
    holes: list[dict[str, float]] = []
    with _server(context) as (server, proxy), _robot(context, proxy.port) as (robot, seen):
        for _ in range(int(context.pick(*_TRIALS))):
            kills.append(_trial(robot, seen, server.kill, server.start))
            holes.append(
                _trial(
                    robot,
                    seen,
                    lambda: proxy.set(Conditions(blackhole=True)),
                    lambda: proxy.set(Conditions()),
                )
            )
            context.say(f"killed: {_words(kills[-1])}; swallowed: {_words(holes[-1])}")
    report.results["failover"] = {"camera_hz": _RATE, "killed": _summary(kills), "swallowed": _summary(holes)}
    return {
        "resume": statistics.median(one["resume"] for one in kills) * 1e3,
        "lost": sum(one["lost"] for one in kills),
        "rate": statistics.median(one["rate"] for one in kills),
        "swallowed_rate": statistics.median(one["rate"] for one in holes),
    }


def _trial(robot: Robot, seen: _Seen, take_away: Callable[[], None], give_back: Callable[[], None]) -> dict[str, float]:
    """Edge alone for a while, then all in the cloud, then no cloud."""
    base = _edge_only(robot, seen)
    _wait(lambda: seen.in_cloud(_STEADY), robot)
    at = time.monotonic_ns()
    take_away()
    time.sleep(_WINDOW + 0.5)
    end = at + round(_WINDOW * NS)
    found = {
        "resume": seen.local_after(at),
        "lost": float(seen.lost(at, end)),
        "lost_in_flight": float(seen.lost(at - NS, at)),
        "rate": seen.rate(at, end) / base,
    }
    give_back()
    return found


def _edge_only(robot: Robot, seen: _Seen) -> float:
    """Results a second without a cloud."""
    _override(robot, "edge")
    time.sleep(0.5)
    at = time.monotonic_ns()
    time.sleep(_WINDOW)
    rate = seen.rate(at, time.monotonic_ns())
    _override(robot, "cloud")
    if not rate:
        raise MeasurementError("the edge gave no results")
    return rate


def _override(robot: Robot, where: str) -> None:
    robot.update(InferenceParams(), ControlParams(), RouterParams(**{**_ROUTING, "override": where}))


def _wait(ready: Callable[[], bool], robot: Robot) -> None:
    end = time.monotonic() + _READY
    while not ready():
        if time.monotonic() > end:
            raise MeasurementError(f"the cloud did not answer in {_READY:g} s: {robot.cloud_fault or robot.routing}")
        time.sleep(_POLL)


@contextmanager
def _server(context: Context) -> Iterator[tuple[TritonServer, TcpProxy]]:
    from impairment.proxy import TcpProxy
    from installer.console import SetupError
    from serving.repository import shipped_repository
    from serving.server import TritonServer

    folder = context.folder / "cloud"
    try:
        repository = shipped_repository(folder / "models", ("jpeg",))
        server = TritonServer(repository, log=folder / "triton.log")
        with server, TcpProxy("127.0.0.1", server.grpc_port) as proxy:
            yield server, proxy
    except SetupError as error:
        raise MeasurementError(str(error)) from error


@contextmanager
def _robot(context: Context, port: int) -> Iterator[tuple[Robot, _Seen]]:
    seen = _Seen()
    robot = Robot(
        replay.parameters(find_video(context.say), _RATE),
        InferenceParams(),
        ControlParams(),
        SystemClock(),
        on_command=lambda command: None,
        on_frame=seen.frame,
        on_result=seen.result,
        on_error=lambda frame, error: None,  # it shows as a frame without a result
        router=RouterParams(**_ROUTING),
        cloud=CloudParams(url=f"grpc://127.0.0.1:{port}", ping_period=0.5),
    )
    robot.prepare()
    try:
        robot.start()
        yield robot, seen
    finally:
        robot.close()


def _summary(trials: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "trials": trials,
        "resume_ms": in_ms([one["resume"] for one in trials]),
        "lost": sum(one["lost"] for one in trials),
        "lost_in_flight": sum(one["lost_in_flight"] for one in trials),
        "rate": statistics.median(one["rate"] for one in trials),
    }


def _words(one: Mapping[str, float]) -> str:
    return (
        f"local after {one['resume'] * 1e3:.0f} ms, {one['lost']:.0f} lost and {one['lost_in_flight']:.0f} in flight, "
        f"rate {one['rate']:.3f}"
    )
