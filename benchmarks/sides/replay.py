"""A camera that costs nothing: real pictures from memory, at any rate, over and over."""

from __future__ import annotations

import time
from collections.abc import Iterator
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
"""Pictures held in memory at most, the first of the video."""
_MEMORY = 128 * 2**20  # bytes that they may take
SYNTHETIC = "synthetic"
"""Stands for a video where there is none: shapes, 768x576."""


@lru_cache(maxsize=1)
def pictures(video: str) -> list[Image]:
    """The first (H, W, 3) BGR pictures of a video, the same list each time.

    Args:
        video: its path or `SYNTHETIC`, with the size to bring them to where `sized` has added one.

    Raises:
        SourceError: it cannot be read.
    """
    name, _, size = video.partition("#")
    taken: list[Image] = []
    for image in _drawn() if name == SYNTHETIC else _played(name):
        taken.append(cv2.resize(image, _size(size)) if size else image)
        if len(taken) == COUNT or taken[0].nbytes * (len(taken) + 1) > _MEMORY:
            break
    if not taken:
        raise SourceError(f"video '{Path(name).name}' cannot be read", got="no picture")
    return taken


def sized(video: str, size: str) -> str:
    """The video with every picture brought to a size such as "640x480"."""
    return f"{video}#{size}"


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _drawn() -> Iterator[Image]:
    scene = Scene(768, 576)
    yield from (scene.picture(index).copy() for index in range(COUNT))


def _played(path: str) -> Iterator[Image]:
    capture = cv2.VideoCapture(path)
    while (read := capture.read())[0]:
        yield np.asarray(read[1], np.uint8)


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
