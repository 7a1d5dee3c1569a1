"""A camera that needs no camera: moving shapes, and the frame's number to be read in the picture."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from edge_ai.capture.base import CameraSource, Captured
from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.core.types import Image

CELL = 8
"""Side of one bit of the number in the picture, in pixels: big enough to survive JPEG."""
_COLUMNS, _ROWS = 16, 3
_CHECK = 0xA5A5
MIN_WIDTH, MIN_HEIGHT = 160, 120
_FORM = re.compile(r"(?:(?P<width>\d+)x(?P<height>\d+))?(?:@(?P<fps>\d+(?:\.\d+)?))?/?(?:\?(?P<query>.*))?")


def write_index(image: Image, index: int) -> None:
    """Write a frame's number into the picture's upper left corner.

    Three rows of sixteen black and white cells, most significant bit left: the low half, the high half, and their
    exclusive-or with 0xA5A5 as a check.

    Args:
        image: (H, W, 3) uint8, at least 128 x 24; changed in place.
        index: 0 to 2**32 - 1.
    """
    low, high = index & 0xFFFF, index >> 16 & 0xFFFF
    words = np.array([low, high, low ^ high ^ _CHECK], np.uint16)
    bits = words[:, None] >> np.arange(_COLUMNS - 1, -1, -1, dtype=np.uint16) & 1
    cells = (bits * 255).astype(np.uint8).repeat(CELL, 0).repeat(CELL, 1)
    image[: _ROWS * CELL, : _COLUMNS * CELL] = cells[:, :, None]


def read_index(image: Image) -> int | None:
    """The number `write_index` wrote; None where there is none, or it is damaged.

    Args:
        image: (H, W, 3) or (H, W) uint8 at its original size, perhaps after lossy compression.
    """
    corner = image[: _ROWS * CELL, : _COLUMNS * CELL]
    if corner.shape[:2] != (_ROWS * CELL, _COLUMNS * CELL):
        return None
    means = corner.reshape(_ROWS, CELL, _COLUMNS, -1).mean((1, 3))
    low, high, check = (int(word) for word in (means > 127) @ (1 << np.arange(_COLUMNS - 1, -1, -1)))
    return high << 16 | low if low ^ high ^ _CHECK == check else None


@dataclass(frozen=True)
class Shape:
    """Something that moves at constant speed and bounces off the borders.

    Attributes:
        sprite: (S, S, 3) uint8 picture.
        mask: (S, S, 1) bool, where the sprite is solid.
        start: x, y of its upper left corner in frame 0, pixels.
        speed: pixels a frame in x, y.
    """

    sprite: Image
    mask: NDArray[np.bool_]
    start: tuple[int, int]
    speed: tuple[int, int]

    def corner(self, index: int, width: int, height: int) -> tuple[int, int]:
        """Its upper left corner in a frame of this size, pixels."""
        side = len(self.sprite)
        x, y = (
            _bounce(s + v * index, room - side)
            for s, v, room in zip(self.start, self.speed, (width, height), strict=True)
        )
        return x, y


def _bounce(position: int, room: int) -> int:
    return room - abs(position % (2 * room) - room)


class Scene:
    """Draws the picture of any index.

    Buffers are used again once nobody holds them or a view of them (their reference count says so): a new frame then
    costs only the pixels that moved. Pictures handed out are read-only.

    Args:
        width: pixels, at least 160.
        height: pixels, at least 120.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        across = np.linspace(40, 120, width).astype(np.uint8)
        down = np.linspace(0, 60, height).astype(np.uint8)
        grey = across[None, :] + down[:, None]
        self._background = np.stack([grey, grey[::-1], 200 - grey], axis=2)
        self._shapes = _shapes(min(width, height))
        self._buffers: list[Image] = []
        self._drawn: list[list[tuple[int, int, int]]] = []
        self._idle = self._holders(self._add())

    def picture(self, index: int) -> Image:
        """The (H, W, 3) uint8 BGR picture of a frame, read-only."""
        free = next((i for i in range(len(self._buffers)) if self._holders(i) == self._idle), None)
        slot = self._add() if free is None else free
        buffer, stale = self._buffers[slot], self._drawn[slot]
        for x, y, side in stale:
            buffer[y : y + side, x : x + side] = self._background[y : y + side, x : x + side]
        stale.clear()
        for shape in self._shapes:
            x, y = shape.corner(index, self.width, self.height)
            side = len(shape.sprite)
            np.copyto(buffer[y : y + side, x : x + side], shape.sprite, where=shape.mask)
            stale.append((x, y, side))
        write_index(buffer, index & 0xFFFFFFFF)
        view: Image = buffer.view()
        view.flags.writeable = False
        return view

    def _add(self) -> int:
        self._buffers.append(self._background.copy())
        self._drawn.append([])
        return len(self._buffers) - 1

    def _holders(self, slot: int) -> int:
        return sys.getrefcount(self._buffers[slot])


def _shapes(room: int) -> list[Shape]:
    """A disc, a square and a diamond, at most 64 pixels wide: big enough to see, small enough to cost nothing."""
    side = min(room // 5, 64)
    y, x = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return [
        Shape(np.broadcast_to(np.array(colour, np.uint8), (side, side, 3)).copy(), solid[:, :, None], start, speed)
        for solid, colour, start, speed in (
            (x**2 + y**2 <= 1, (30, 30, 220), (10, 30), (5, 3)),
            (np.maximum(abs(x), abs(y)) <= 1, (40, 200, 40), (90, 40), (-3, 4)),
            (abs(x) + abs(y) <= 1, (220, 160, 30), (50, 70), (7, -2)),
        )
    ]


class SyntheticSource(CameraSource):
    """``synthetic``, or ``synthetic://1280x720@30?frames=100``; size and rate otherwise from the parameters."""

    live = False

    def __init__(self, params: CameraParams, address: str) -> None:
        super().__init__(params, address)
        self._lock = threading.Lock()
        self._scene: Scene | None = None
        self._index, self._frames = 0, 0

    def open(self) -> None:
        width, height, fps, frames = self._parse()
        with self._lock:
            self._scene = Scene(width, height)
            self._index, self._frames, self.fps = 0, frames, fps

    def read(self) -> Captured:
        with self._lock:
            if self._scene is None:
                raise SourceError(f"camera '{self.name}' is not open")
            if self._frames and self._index >= self._frames:
                raise EndOfSource(f"'{self.name}' ended after {self._frames} frames")
            index, self._index = self._index, self._index + 1
            return Captured(self._scene.picture(index), "bgr8", index, time.monotonic_ns(), index / self.fps)

    def close(self) -> None:
        with self._lock:
            self._scene = None

    def _parse(self) -> tuple[int, int, float, int]:
        wanted = "synthetic://WIDTHxHEIGHT@RATE?frames=COUNT"
        form = _FORM.fullmatch(self.address.removeprefix("//"))
        query = dict(parse_qsl(form["query"] or "", keep_blank_values=True)) if form else {}
        frames = query.pop("frames", "0")
        if not form or query or not frames.isdecimal():
            raise SourceError("synthetic camera", got=f"'{self.name}'", wanted=wanted)
        width = int(form["width"] or self.params.width or 640)
        height = int(form["height"] or self.params.height or 480)
        fps = float(form["fps"] or self.params.fps or 30)
        if not (MIN_WIDTH <= width <= 16384 and MIN_HEIGHT <= height <= 16384 and 0 < fps <= 1000):
            raise SourceError(
                "synthetic camera",
                got=f"{width}x{height} at {fps:g} Hz",
                wanted=f"{MIN_WIDTH}x{MIN_HEIGHT} to 16384x16384 at up to 1000 Hz",
            )
        return width, height, fps, int(frames)
