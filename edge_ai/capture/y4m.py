"""YUV4MPEG2, the self-describing stream of raw frames that GStreamer's y4menc writes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import cv2
import numpy as np

from edge_ai.core.errors import SourceError
from edge_ai.core.types import Image

FRAME = b"FRAME\n"


def _up(number: int, step: int) -> int:
    return -(-number // step) * step


@dataclass(frozen=True)
class Y4MFormat:
    """What a stream's header says.

    Attributes:
        width: pixels.
        height: pixels.
        fps: nominal rate in Hz, 0 where unknown.
    """

    width: int
    height: int
    fps: float

    @classmethod
    def parse(cls, line: bytes) -> Y4MFormat:
        """Read the header line.

        Raises:
            SourceError: it is none, or not of 4:2:0 frames.
        """
        words = line.decode("ascii", "replace").split()
        tags = {word[0]: word[1:] for word in words[1:]}
        try:
            width, height = int(tags["W"]), int(tags["H"])
            rate = Fraction(tags.get("F", "0:1").replace(":", "/"))
        except (KeyError, ValueError, ZeroDivisionError):
            width = height = 0
            rate = Fraction(0)
        if words[:1] != ["YUV4MPEG2"] or width < 1 or height < 1 or not tags.get("C", "420").startswith("420"):
            raise SourceError("video stream", got=f"{line[:80]!r}", wanted="a YUV4MPEG2 header of 4:2:0 frames")
        return cls(width, height, float(rate))

    def strides(self, padded: bool) -> tuple[int, int, int, int]:
        """Bytes a luma row, luma rows, bytes a chroma row, chroma rows.

        Args:
            padded: rows as GStreamer keeps them in memory, multiples of four bytes; else as the format's definition.
        """
        half_width, half_height = (self.width + 1) // 2, (self.height + 1) // 2
        if padded:
            return _up(self.width, 4), _up(self.height, 2), _up(half_width, 4), half_height
        return self.width, self.height, half_width, half_height

    def size(self, padded: bool) -> int:
        """Bytes a frame."""
        luma, rows, chroma, half = self.strides(padded)
        return luma * rows + 2 * chroma * half

    def to_bgr(self, raw: Image, padded: bool) -> Image:
        """The (H, W, 3) BGR picture of a frame's bytes; colours by ITU-R BT.601, limited range."""
        even = self.width % 2 == 0 and self.height % 2 == 0
        if even and self.strides(padded) == self.strides(False):
            yuv: Image = raw.reshape(self.height * 3 // 2, self.width)
        else:
            yuv = self._tight(raw, padded)
        bgr = cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR_I420)
        return np.asarray(bgr[: self.height, : self.width], np.uint8)

    def _tight(self, raw: Image, padded: bool) -> Image:
        """The frame without padding, made even in both directions by repeating the last row and column."""
        luma, rows, chroma, half = self.strides(padded)
        even_w, even_h = _up(self.width, 2), _up(self.height, 2)
        y = raw[: luma * rows].reshape(rows, luma)[: self.height, : self.width]
        y = np.pad(y, ((0, even_h - self.height), (0, even_w - self.width)), mode="edge")
        colour = raw[luma * rows :].reshape(2, half, chroma)[:, :, : even_w // 2]
        return np.concatenate([y.ravel(), colour.ravel()]).reshape(even_h * 3 // 2, even_w)


class Y4MReader:
    """Reads frames from a Y4M stream.

    GStreamer's y4menc (seen in 1.22) pads rows where the width is no multiple of eight, against the format's
    definition, so which of the two it is shows only where the second frame begins.

    Args:
        stream: buffered binary stream at its beginning.

    Raises:
        EOFError: the stream ended before its header.
        SourceError: it is no Y4M stream.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        header = stream.readline(256)
        if not header:
            raise EOFError
        self.format = Y4MFormat.parse(header)
        same = self.format.size(True) == self.format.size(False)
        self.padded: bool | None = False if same else None

    def wait_frame(self) -> None:
        """Wait until a frame begins.

        Raises:
            EOFError: the stream ended.
            SourceError: something else than a frame follows.
        """
        marker = self._stream.readline(256)
        if not marker:
            raise EOFError
        if not marker.startswith(b"FRAME"):
            raise SourceError("video stream", got=f"{marker[:16]!r}", wanted="the beginning of a frame")

    def read_frame(self) -> Image:
        """The bytes of the frame that has begun, (N,) uint8.

        Raises:
            EOFError: the stream ended within the frame.
        """
        if self.padded is not None:
            return self._read(self.format.size(self.padded))
        tight = self._read(self.format.size(False))
        after = self._stream.peek(len(FRAME))[: len(FRAME)]  # type: ignore[attr-defined]
        self.padded = bool(after) and after != FRAME
        if not self.padded:
            return tight
        return np.concatenate([tight, self._read(self.format.size(True) - self.format.size(False))])

    def _read(self, size: int) -> Image:
        raw = np.empty(size, np.uint8)
        got = self._stream.readinto(raw.data)  # type: ignore[attr-defined]
        if got != size:
            raise EOFError
        return raw
