"""The demo's video and preview, made on a thread of their own so that the loop is not held up."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from demo_record import NS, Commanded
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
MEASURED = 12  # pictures kept back until their rate is known
CODECS = ("avc1", "mp4v")  # H.264 where this OpenCV can, else MPEG-4


class Pictures:
    """Writes every picture offered, in order, and keeps the one that shows most.

    Args:
        video: the .mp4 file.
        preview: the .png file.
    """

    def __init__(self, video: Path, preview: Path) -> None:
        self._video, self._preview = video, preview
        self._waiting: queue.SimpleQueue[tuple[Picture, int] | None] = queue.SimpleQueue()
        self._best: tuple[float, Picture] | None = None
        self.written, self.codec, self.fps, self.size = 0, "", 0.0, (0, 0)
        self._thread = threading.Thread(target=self._work, name="video", daemon=True)
        self._thread.start()

    def offer(self, picture: Picture, stamp_ns: int, command: Commanded | None) -> None:
        """Take a picture; returns at once."""
        score = showing(command)
        if self._best is None or score > self._best[0]:
            self._best = score, picture
        self._waiting.put((picture, stamp_ns))

    def close(self) -> None:
        """Finish both files."""
        self._waiting.put(None)
        self._thread.join()
        if self._best is not None:
            cv2.imwrite(str(self._preview), self._best[1])

    def _work(self) -> None:
        first: list[tuple[Picture, int]] = []
        while len(first) < MEASURED and (item := self._waiting.get()) is not None:
            first.append(item)
        if not first:
            return
        self.fps = rate_of([stamp for _, stamp in first])
        height, width = first[0][0].shape[:2]
        self.size = (width, height)
        writer, self.codec = open_writer(self._video, self.fps, self.size)
        for picture, _ in first:
            self._write(writer, picture)
        if len(first) == MEASURED:
            while (item := self._waiting.get()) is not None:
                self._write(writer, item[0])
        writer.release()

    def _write(self, writer: Any, picture: Picture) -> None:
        if picture.shape[1::-1] != self.size:  # a folder may hold pictures of several sizes, a video only one
            picture = cv2.resize(picture, self.size)
        writer.write(picture)
        self.written += 1


def showing(command: Commanded | None) -> float:
    """How much a picture drawn with a command has to show: somebody followed, and a long arrow."""
    if command is None or command.state != "FOLLOWING":
        return 0.0
    return 1.0 + abs(command.linear) + abs(command.angular)


def rate_of(stamps_ns: list[int]) -> float:
    """Pictures a second by the median distance of their stamps; 10 where there is only one."""
    gaps = np.diff(stamps_ns)
    return float(np.clip(NS / np.median(gaps), 1.0, 120.0)) if len(gaps) else 10.0


def open_writer(path: Path, fps: float, size: tuple[int, int]) -> tuple[Any, str]:
    """A video writer and its codec.

    Raises:
        OSError: this OpenCV can write no .mp4 at all.
    """
    for codec in CODECS:
        with _quiet():
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size)
        if writer.isOpened():
            return writer, codec
    raise OSError(f"OpenCV {cv2.__version__} cannot write {path.name} with {' or '.join(CODECS)}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep FFmpeg's words about a codec that it lacks from the terminal."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
