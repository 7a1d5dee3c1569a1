"""A camera that costs nothing: real pictures from memory, at any rate, over and over."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from edge_ai.capture.base import CameraSource, Captured
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import SOURCES
from edge_ai.capture.synthetic import Scene
from edge_ai.core.errors import SourceError
from edge_ai.core.types import Image

COUNT = 60
"""Pictures held in memory, the first of the video."""
SYNTHETIC = "synthetic"
"""Stands for a video where there is none: shapes, 768x576."""


@lru_cache(maxsize=1)
def pictures(video: str) -> list[Image]:
    """The first (H, W, 3) BGR pictures of a video, the same list each time.

    Raises:
        SourceError: it cannot be read.
    """
    if video == SYNTHETIC:
        scene = Scene(768, 576)
        return [scene.picture(index).copy() for index in range(COUNT)]
    capture = cv2.VideoCapture(video)
    taken: list[Image] = []
    while len(taken) < COUNT:
        found, image = capture.read()
        if not found:
            break
        taken.append(np.asarray(image, np.uint8))
    if not taken:
        raise SourceError(f"video '{Path(video).name}' cannot be read", got="no picture")
    return taken


class ReplaySource(CameraSource):
    """``replay:RATE:VIDEO``, RATE in Hz."""

    live = False

    def open(self) -> None:
        rate, _, video = self.address.partition(":")
        self.fps, self._pictures, self._index = float(rate), pictures(video), 0

    def read(self) -> Captured:
        index, self._index = self._index, self._index + 1
        image = self._pictures[index % len(self._pictures)]
        return Captured(image, "bgr8", index, time.monotonic_ns(), index / self.fps)

    def close(self) -> None:
        """Nothing to let go of."""


def parameters(video: str, rate: float, **others: object) -> CameraParams:
    """Parameters of a camera that replays a video."""
    return CameraParams.parse({"source": address(video, rate), **others})


def address(video: str, rate: float) -> str:
    """The camera parameter ``source`` for a replay."""
    return f"replay:{rate:g}:{video}"


def register() -> None:
    """Make the source known to this process."""
    if "replay" not in SOURCES.names():
        SOURCES.register("replay", "benchmarks.sides.replay:ReplaySource")
