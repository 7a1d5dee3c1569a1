"""The composed robot without ROS: camera, pipeline and control in this process, results and commands counted."""

from __future__ import annotations

import gc
import time
from contextlib import closing
from typing import Any

import psutil

from benchmarks.sides import replay
from benchmarks.sides.serve import Task, serve
from edge_ai.control.controller import Command
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.realtime.params import RealtimeParams
from edge_ai.realtime.process import prepare_process
from edge_ai.realtime.settings import RealtimeSettings
from edge_ai.robot import Robot
from edge_ai.runtime.params import InferenceParams


class Log:
    """When results came, how old each was when the first command that heeds it was decided, what the collector took."""

    def __init__(self) -> None:
        self.gc_pauses: list[float] = []
        self._collecting = 0.0
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

    def collection(self, phase: str) -> None:
        """Time a run of the garbage collector."""
        if phase == "start":
            self._collecting = time.perf_counter()
        elif self._collecting:
            self.gc_pauses.append(time.perf_counter() - self._collecting)


class ComposedRobot:
    """The robot with a camera that replays a video.

    Args:
        setup: ``video``, ``rate`` in Hz and whether the camera keeps to it (``realtime``); ``process``: parameters of
            the soft real-time settings, if any.
    """

    def __init__(self, setup: Task) -> None:
        prepare_process()
        replay.register()
        camera = replay.parameters(setup["video"], setup["rate"], realtime=setup["realtime"])
        self._log = Log()
        self._robot = Robot(
            camera, InferenceParams(), ControlParams(), SystemClock(), on_command=self._command, on_result=self._result
        )
        self._settings = RealtimeSettings(RealtimeParams.parse(setup.get("process", {})))
        self._outcomes = self._settings.apply(self._robot.prepare)
        gc.callbacks.append(self._collected)

    def measure(self, task: Task) -> dict[str, Any]:
        """Run, and log for ``seconds`` after ``warm`` seconds.

        Returns:
            ``instants`` of results, ``timings`` of their stages, ``ages`` of commands and ``gc_pauses``, in seconds;
            ``resident_mb``; ``outcomes`` of the settings.
        """
        self._robot.start()
        time.sleep(task["warm"])
        self._log = log = Log()
        time.sleep(task["seconds"])
        self._log = Log()
        self._robot.stop()
        return {
            "instants": log.instants,
            "timings": log.timings,
            "ages": log.ages,
            "gc_pauses": log.gc_pauses,
            "seconds": task["seconds"],
            "resident_mb": psutil.Process().memory_info().rss / 1e6,
            "outcomes": [(one.setting, one.applied, one.words) for one in self._outcomes],
        }

    def close(self) -> None:
        """Free the model."""
        gc.callbacks.remove(self._collected)
        self._robot.close()
        self._settings.undo()

    def _command(self, command: Command) -> None:
        self._log.command(command)

    def _collected(self, phase: str, _info: object) -> None:
        self._log.collection(phase)

    def _result(self, result: Result, _frame: Frame) -> None:
        self._log.result(result)


if __name__ == "__main__":
    serve(lambda setup: closing(ComposedRobot(setup)))
