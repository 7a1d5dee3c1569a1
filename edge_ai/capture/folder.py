"""A folder of pictures as a recording."""

from __future__ import annotations

import logging
import re
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from edge_ai.capture.base import CameraSource, Captured
from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.core.types import Image

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
FALLBACK_FPS = 10.0
"""Pace where ``params.fps`` is 0, in Hz."""

_log = logging.getLogger(__name__)


class FolderSource(CameraSource):
    """The pictures of a folder (or one picture) in the order of their names, at ``params.fps``.

    Numbers in names count as numbers: shot2.jpg comes before shot10.jpg. A picture that cannot be decoded is left out
    with a warning; it keeps its index.
    """

    live = False

    def __init__(self, params: CameraParams, address: str) -> None:
        super().__init__(params, address)
        self._lock = threading.Lock()
        self._paths: list[Path] = []
        self._next = 0
        self._first: Captured | None = None
        self._open = False

    def open(self) -> None:
        self.close()
        with self._lock:
            self._paths = list_pictures(Path(self.address).expanduser(), self.name)
            self._next = 0
            self.fps = self.params.fps or FALLBACK_FPS
            try:
                self._first = self._decode_next()
            except EndOfSource:
                raise SourceError(f"none of the pictures of '{self.name}' can be decoded") from None
            self._open = True

    def read(self) -> Captured:
        with self._lock:
            if not self._open:
                raise SourceError(f"folder '{self.name}' is not open")
            first, self._first = self._first, None
            return first or self._decode_next()

    def close(self) -> None:
        with self._lock:
            self._open, self._first = False, None

    def _decode_next(self) -> Captured:
        while self._next < len(self._paths):
            index, self._next = self._next, self._next + 1
            image = _decode(self._paths[index])
            if image is not None:
                return Captured(image, "bgr8", index, time.monotonic_ns(), index / self.fps)
            _log.warning("'%s' cannot be decoded as a picture and is left out", self._paths[index])
        raise EndOfSource(f"folder '{self.name}' ended after {len(self._paths)} pictures")


def list_pictures(path: Path, name: str) -> list[Path]:
    """The pictures of a folder, sorted; a picture's own path gives itself.

    Raises:
        SourceError: no such folder, or no pictures in it.
    """
    try:
        found = [path] if path.is_file() else [p for p in path.iterdir() if p.suffix.lower() in PICTURES]
    except OSError as error:
        raise SourceError(f"folder '{name}' cannot be read", got=error.strerror or error) from None
    if not found:
        raise SourceError(f"folder '{name}' has no pictures", wanted="files ending in " + ", ".join(PICTURES))
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", path.name)]


def _decode(path: Path) -> Image | None:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if decoded is None else np.asarray(decoded, np.uint8)
