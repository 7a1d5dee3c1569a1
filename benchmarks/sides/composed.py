"""The composed robot without ROS: camera, pipeline and control in this process, results and commands counted."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from benchmarks.sides import replay
from benchmarks.sides.serve import Task, serve
from edge_ai.control.controller import Command
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.robot import Robot
from edge_ai.runtime.params import InferenceParams


class Log:
    """When results came, and how old each was when the first command that heeds it was decided."""

    def __init__(self) -> None:
        self.instants: list[float] = []
        self.timings: list[dict[str, float]] = []
        self.ages: list[float] = []
        self._last = -1

    def result(self, result: Result) -> None:
        """Count a result."""
        self.instants.append(time.monotonic())
        self.timings.append(dict(result.timings))

    def command(self, command: Command) -> None:
        """Take the age of the first command after each result."""
        if command.header is not None and command.age_s is not None and command.header.stamp_ns != self._last:
            self._last = command.header.stamp_ns
            self.ages.append(command.age_s)


class ComposedRobot:
    """The robot with a camera that replays a video.

    Args:
        setup: ``video``, ``rate`` in Hz and whether the camera keeps to it (``realtime``).
    """

    def __init__(self, setup: Task) -> None:
        replay.register()
        camera = replay.parameters(setup["video"], setup["rate"], realtime=setup["realtime"])
        self._log = Log()
        self._robot = Robot(
            camera, InferenceParams(), ControlParams(), SystemClock(), on_command=self._command, on_result=self._result
        )
        self._robot.prepare()

    def measure(self, task: Task) -> dict[str, Any]:
        """Run, and log for ``seconds`` after ``warm`` seconds.

        Returns:
            ``instants`` of results, ``timings`` of their stages and ``ages`` of commands, in seconds.
        """
        self._robot.start()
        time.sleep(task["warm"])
        self._log = log = Log()
        time.sleep(task["seconds"])
        self._log = Log()
        self._robot.stop()
        return {"instants": log.instants, "timings": log.timings, "ages": log.ages}

    def close(self) -> None:
        """Free the model."""
        self._robot.close()

    def _command(self, command: Command) -> None:
        self._log.command(command)

    def _result(self, result: Result, _frame: Frame) -> None:
        self._log.result(result)


if __name__ == "__main__":
    serve(lambda setup: closing(ComposedRobot(setup)))
