"""The composed robot as fast as it goes, among threads that wait, profiled or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from benchmarks.sides import replay
from benchmarks.sides.serve import Task, serve
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.profiling.profiler import Profiler
from edge_ai.monitoring.profiling.sampling import sampler_for
from edge_ai.realtime.process import prepare_process
from edge_ai.robot import Robot
from edge_ai.runtime.params import InferenceParams

_DEPTH = 12
"""Calls that each thread that waits is deep in: what a library's worker has."""


class SampledRobot:
    """The robot with a camera that is faster than it.

    Args:
        setup: ``video``, ``rate`` of the camera in Hz, ``threads`` alive at least, ``folder`` for profiles.
    """

    def __init__(self, setup: Task) -> None:
        prepare_process()
        replay.register()
        self._folder, self._instants = Path(setup["folder"]), list[float]()
        camera = replay.parameters(setup["video"], setup["rate"])
        self._robot = Robot(
            camera,
            InferenceParams(),
            ControlParams(),
            SystemClock(),
            on_command=lambda command: None,
            on_result=self._result,
        )
        self._robot.prepare()
        self._robot.start()
        self._end = threading.Event()
        for number in range(max(0, setup["threads"] - threading.active_count())):
            threading.Thread(target=_deep, args=(_DEPTH, self._end.wait), name=f"waits {number}", daemon=True).start()

    def measure(self, task: Task) -> dict[str, Any]:
        """Work for ``seconds``, sampled by ``sampler`` at ``rate`` or, where that is empty, by none.

        Returns:
            ``results`` of that time, the ``seconds`` it really took, ``cpu_s`` of this process and its children, and
            what the profile says, ``message``.
        """
        kind, message = task["sampler"], ""
        time.sleep(task["warm"])
        before, used, begun = len(self._instants), _used(), time.monotonic()
        if kind:
            profiler = Profiler("sampled", rate=task["rate"], sampler=sampler_for(kind))
            message = profiler.profile(task["seconds"], "sampling", self._folder).message
        else:
            time.sleep(task["seconds"])
        took = time.monotonic() - begun
        return {
            "results": len(self._instants) - before,
            "seconds": took,
            "cpu_s": _used() - used,
            "threads": threading.active_count(),
            "message": message,
        }

    def close(self) -> None:
        """End the threads and free the model."""
        self._end.set()
        self._robot.close()

    def _result(self, _result: Result, _frame: Frame) -> None:
        self._instants.append(time.monotonic())


def _deep(depth: int, wait: Callable[[], object]) -> None:
    if depth:
        _deep(depth - 1, wait)
    else:
        wait()


def _used() -> float:
    """Processor time of this process and of those of its children that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


if __name__ == "__main__":
    serve(lambda setup: closing(SampledRobot(setup)))
