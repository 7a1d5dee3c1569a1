"""The robot of the demo of edge and cloud, and who takes down what it tells."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo_cloud_record import Answer, Record

if TYPE_CHECKING:
    from edge_ai.core.types import Frame, Result
    from edge_ai.robot import Robot
    from edge_ai.routing.params import RouterParams

READY = 20.0  # s until the server has answered a first frame
POLL = 0.02  # s


class Seen:
    """Takes down what the robot tells, on its own threads, from `begin` to `end`."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._began = self._ended = sys.maxsize

    def begin(self) -> None:
        """Frames captured from now on count."""
        self._began = time.monotonic_ns()

    def end(self) -> None:
        """Frames captured from now on do not; answers to earlier ones do."""
        self._ended = time.monotonic_ns()

    def now(self) -> float:
        """Seconds since the begin."""
        return (time.monotonic_ns() - self._began) / 1e9

    def frame(self, frame: Frame) -> None:
        """A frame was captured."""
        if self._began <= frame.header.steady_ns < self._ended:
            self.record.frames.append((frame.header.steady_ns - self._began) / 1e9)

    def result(self, result: Result, frame: Frame) -> None:
        """A frame was answered."""
        captured, seconds = frame.header.steady_ns, (time.monotonic_ns() - frame.header.steady_ns) / 1e9
        if self._began <= captured < self._ended:
            side = "edge" if result.source == "edge" else "cloud"
            self.record.answers.append(Answer((captured - self._began) / 1e9, seconds, side, result.reason))


@contextmanager
def robot_of(source: str, url: str, params: RouterParams, seen: Seen) -> Iterator[Robot]:
    """The whole robot, running, that sees a video over and over."""
    from edge_ai.capture.params import CameraParams
    from edge_ai.control.params import ControlParams
    from edge_ai.core.clock import SystemClock
    from edge_ai.robot import Robot
    from edge_ai.routing.params import CloudParams
    from edge_ai.runtime.params import InferenceParams

    robot = Robot(
        CameraParams(source=source, loop=True),
        InferenceParams(),
        ControlParams(),
        SystemClock(),
        on_command=lambda command: None,
        on_frame=seen.frame,
        on_result=seen.result,
        on_error=lambda frame, error: None,  # they show as frames without a result
        router=params,
        cloud=CloudParams(url=url),
    )
    robot.prepare()
    try:
        robot.start()
        yield robot
    finally:
        robot.close()


def wait_for_cloud(robot: Robot) -> None:
    """Until the server has answered a frame.

    Raises:
        TimeoutError: it has not.
    """
    end = time.monotonic() + READY
    while not (robot.routing and robot.routing.cloud.counts.answered):
        if time.monotonic() > end:
            raise TimeoutError(f"no answer of the server in {READY:g} s: {robot.cloud_fault or 'it was not asked'}")
        time.sleep(POLL)


def look(robot: Robot, seen: Seen) -> None:
    """Note the breaker's state where it changed, and the router's counts."""
    status = robot.routing
    assert status is not None, "the robot has a server"
    states = seen.record.breaker
    if not states or states[-1][1] != status.cloud.breaker:
        states.append((max(0.0, seen.now()), status.cloud.breaker))
    counts = status.counts
    seen.record.counts = {
        **{f"decided_{where.value}": count for where, count in counts.decisions.items()},
        **{name: getattr(counts, name) for name in ("hedged", "hedges_won", "hedges_refused", "failovers")},
        **{name: getattr(counts, name) for name in ("exploring", "overtaken", "expired", "failed", "dropped")},
        "cloud_sent_bytes": status.cloud.counts.sent,
    }
