"""Video files through OpenCV."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import Any

import cv2

from edge_ai.capture.base import CameraSource, Captured
from edge_ai.capture.params import CameraParams
from edge_ai.capture.video import open_url, time_limits
from edge_ai.core.errors import EndOfSource, SourceError

FALLBACK_FPS = 30.0
"""Pace of a recording that does not say its own, in Hz."""


class FileSource(CameraSource):
    """A video file, or a finite video behind an http URL; frames carry their media time.

    Frames that cannot be decoded are left out by FFmpeg; a file cut short plays to the cut.
    """

    live = False

    def __init__(self, params: CameraParams, address: str) -> None:
        super().__init__(params, address)
        self._lock = threading.Lock()
        self._capture: Any = None
        self._first: Captured | None = None
        self._index = 0
        self._origin_ms = self._due = 0.0

    def open(self) -> None:
        self.close()
        with self._lock:
            self._capture = self._open_capture()
            rate = self._capture.get(cv2.CAP_PROP_FPS)
            self.fps = rate if math.isfinite(rate) and 0 < rate <= 1000 else FALLBACK_FPS
            self._index, self._due = 0, 0.0
            try:
                self._first = self._next()
            except (EndOfSource, SourceError):
                self._release()
                raise SourceError(
                    f"video '{self.name}' has no picture", got="no first frame", mend="the file is cut short or damaged"
                ) from None

    def read(self) -> Captured:
        with self._lock:
            if self._capture is None:
                raise SourceError(f"video '{self.name}' is not open")
            first, self._first = self._first, None
            return first or self._next()

    def close(self) -> None:
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = self._first = None

    def _open_capture(self) -> Any:
        if "://" in self.address:
            capture = open_url(self.address, time_limits(self.params))
        else:
            check_file(Path(self.address).expanduser(), self.name)
            capture = cv2.VideoCapture(str(Path(self.address).expanduser()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SourceError(
                f"'{self.name}' cannot be read as a video",
                wanted="a video file that FFmpeg knows",
                mend="play it with another program: it may be cut short, damaged or no video",
            )
        return capture

    def _next(self) -> Captured:
        if not self._capture.grab():
            raise EndOfSource(f"video '{self.name}' ended after {self._index} frames{self._shortfall()}")
        now = time.monotonic_ns()
        due = self._media_time()
        ok, image = self._capture.retrieve()
        if not ok or image is None or not image.size:
            raise SourceError(f"frame {self._index} of '{self.name}' cannot be decoded")
        captured = Captured(image, "bgr8" if image.ndim == 3 else "mono8", self._index, now, due)
        self._index += 1
        return captured

    def _media_time(self) -> float:
        """Seconds since the first frame, by the file's own time stamps; by its rate where they stand still."""
        position = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if self._index == 0:
            self._origin_ms = position
            return 0.0
        due = (position - self._origin_ms) / 1000
        self._due = due if math.isfinite(due) and due > self._due else self._due + 1 / self.fps
        return self._due

    def _shortfall(self) -> str:
        promised = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return f" of {promised:.0f}: the file is cut short" if 0.98 * promised > self._index + 1 else ""


def check_file(path: Path, name: str) -> None:
    """Raise what is plainly wrong with a file.

    Raises:
        SourceError: missing, a folder, empty or not readable.
    """
    try:
        if path.is_dir():
            raise SourceError(f"'{name}' is a folder", wanted="a video file")
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"video '{name}' is empty", got="0 bytes", wanted="a video file")
    except FileNotFoundError:
        raise SourceError(
            f"no such file: '{name}'",
            wanted="a video file, folder, URL, camera number or pipeline",
            mend="check the path, which counts from where the node was started",
        ) from None
    except OSError as error:
        raise SourceError(f"video '{name}' cannot be read", got=error.strerror or error) from None
