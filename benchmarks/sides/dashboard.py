"""A robot's dashboard at work: real frames and their results go by, with and without a page, seen and unseen."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2

from benchmarks.sides.serve import Task, serve
from benchmarks.topic import ROOT
from edge_ai.control.command import Command, ControlState
from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, FrameHeader, Result, Velocity
from edge_ai.dashboard import sections
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.dashboard.state import Board
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.readings import Sample
from edge_ai.realtime.process import prepare_process
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams

CLOCK = SystemClock()
_PICTURES = 40


class DashboardSide:
    """Replays what a robot gives its dashboard.

    Args:
        setup: ``source`` a video; ``results`` and ``commands`` a second.
    """

    def __init__(self, setup: Task) -> None:
        self._setup, self._seen = setup, _seen(setup["source"])
        self._params = DashboardParams(port=0)

    def measure(self, task: Task) -> dict[str, Any]:
        """Live for ``seconds`` after ``warm``, ``mode`` "bare" without a dashboard, "unseen" or "seen" by a viewer.

        Returns:
            ``cores`` that this process took; ``pictures`` a second and ``kilobytes`` each that a viewer got.
        """
        board, feed = Board(CLOCK, self._params.history), PictureFeed(self._params, CLOCK)
        if task["mode"] == "bare":
            self._live(task["warm"], None, feed)
            return {"cores": self._live(task["seconds"], None, feed)}
        board.picture(feed.jpeg)
        metrics, health = Metrics(CLOCK), Health(CLOCK)
        server = DashboardServer(self._params, board, metrics=metrics, health=health)
        server.start()
        viewer = None
        try:
            if task["mode"] == "seen":
                command = [sys.executable, str(ROOT / "benchmarks" / "sides" / "viewer.py"), server.url]
                viewer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._live(task["warm"], board, feed)
            cores = self._live(task["seconds"], board, feed)
            got = viewer.communicate(timeout=20)[0].split() if viewer is not None else ("0", "0")
        finally:
            if viewer is not None and viewer.poll() is None:
                viewer.kill()
            server.stop()
        return {"cores": cores, "pictures": float(got[0]), "kilobytes": float(got[1])}

    def _live(self, seconds: float, board: Board | None, feed: PictureFeed) -> float:
        """So long of a robot's life; the cores that it took."""
        results, commands = self._setup["results"], self._setup["commands"]
        begun, used, end = time.monotonic(), time.process_time(), time.monotonic() + seconds
        for number in range(10**9):
            due = begun + number / commands
            if due >= end:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            command = Command(Velocity(0.3, 0.1), ControlState.FOLLOWING, "following", 0.05, None, None, number, 0, 0)
            if board is None:
                continue
            feed.command(command)
            board.put("control", sections.control(command))
            if number % (commands // results) == 0:
                self._result(number, board, feed)
            if number % commands == 0:
                self._second(board)
        return (time.process_time() - used) / (time.monotonic() - begun)

    def _result(self, number: int, board: Board, feed: PictureFeed) -> None:
        result, frame = self._seen[number % len(self._seen)]
        feed.offer(result, frame)
        board.put("result", sections.result(result))

    def _second(self, board: Board) -> None:
        names = ("cpu", "cpu/0", "cpu/1", "memory", "temperature", "power", "fps", "age", "processing", "disk_free")
        nodes = [f"{node}/{what}" for node in ("camera", "inference", "control") for what in names[3:]]
        sample = Sample(CLOCK.stamp_ns(), CLOCK.steady_ns(), dict.fromkeys((*names, *nodes), 0.4321))
        board.put("system", sections.system(sample))
        board.put("nodes", sections.nodes(sample))


def _seen(source: str) -> list[tuple[Result, Frame]]:
    """Pictures of a video and what the shipped detector finds in them."""
    video = cv2.VideoCapture(source)
    model = Model.load(InferenceParams(), CLOCK)
    seen = []
    try:
        for index in range(_PICTURES):
            _, image = video.read()
            height, width = image.shape[:2]
            header = FrameHeader(CLOCK.stamp_ns(), CLOCK.steady_ns(), "camera", index, width, height)
            frame = Frame(header, image)
            seen.append((model(frame), frame))
    finally:
        model.close()
        video.release()
    return seen


@contextmanager
def made(setup: Task) -> Iterator[DashboardSide]:
    """The side."""
    prepare_process()
    yield DashboardSide(setup)


if __name__ == "__main__":
    serve(made)
