"""From a camera's image to a model's input tensor, and back from there to the image's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import ModelError
from edge_ai.core.spans import profiled
from edge_ai.core.types import FloatArray, Image
from edge_ai.processing.image import ENCODINGS, check_image, image_size, to_channels
from edge_ai.processing.spec import InputSpec


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a source image lies in a model's input: input = source * scale + offset.

    Attributes:
        scale_x, scale_y: input pixels a source pixel.
        offset_x, offset_y: input pixels left of and above the picture.
        width, height: size of the source image in pixels.
    """

    scale_x: float
    scale_y: float
    offset_x: int
    offset_y: int
    width: int
    height: int

    def to_source(self, boxes: FloatArray) -> FloatArray:
        """(N, 4) x1, y1, x2, y2 in input pixels as source pixels, clipped to the source image."""
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        limit = np.array([self.width, self.height] * 2, np.float32)
        clipped: FloatArray = np.clip((boxes - offset) / scale, 0, limit)
        return clipped

    def points_to_source(self, points: FloatArray) -> FloatArray:
        """(..., 2) x, y in input pixels as source pixels, not clipped."""
        offset = np.array([self.offset_x, self.offset_y], np.float32)
        scale = np.array([self.scale_x, self.scale_y], np.float32)
        placed: FloatArray = np.divide(points - offset, scale)
        return placed


def place(source: tuple[int, int], spec: InputSpec) -> tuple[Placement, tuple[int, int]]:
    """How an image is fitted into a model's input.

    Args:
        source: (width, height) of the image in pixels.
        spec: the input.

    Returns:
        The placement and the (width, height) of the picture inside the input.
    """
    (width, height), (full_width, full_height) = source, spec.size
    if spec.resize == "stretch":
        return Placement(full_width / width, full_height / height, 0, 0, width, height), spec.size
    ratio = min(full_width / width, full_height / height)
    inner = max(round(width * ratio), 1), max(round(height * ratio), 1)
    left, top = (full_width - inner[0]) // 2, (full_height - inner[1]) // 2
    if spec.align == "top_left":
        left = top = 0
    return Placement(inner[0] / width, inner[1] / height, left, top, width, height), inner


class Preprocessor:
    """Writes images straight into a model's input tensor.

    Resizes (bilinearly) in 8 bits first, then normalises by a table of 256 values a channel, which is exact: one pass
    over the source and two over the small picture. It keeps its working memory: use one a thread.

    Args:
        spec: the model's input.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._tables = _tables(spec)
        self._planes = np.empty((spec.channels, spec.size[1], spec.size[0]), np.uint8)
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    @profiled(name="preprocess")
    def prepare(self, image: NDArray[Any], encoding: str, out: NDArray[Any]) -> Placement:
        """Fill an input tensor with an image.

        Args:
            image: as `edge_ai.processing.image.to_channels` takes it; not written to.
            encoding: its sensor_msgs encoding.
            out: C-contiguous memory of the shape and dtype of the spec, for one image; overwritten.

        Returns:
            Where the image lies in the input.

        Raises:
            ImageError: the image is empty, of an unknown encoding or not of that encoding.
            ModelError: ``out`` is not what the spec says.
        """
        check_image(image, encoding)
        self._check_out(out)
        key = (encoding, image.shape)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= 8:  # sources that change their size all the time must not fill the memory
                self._plans.clear()
            plan = self._plans[key] = _Plan(image, encoding, self._spec)
        self._write(plan.fitted(image), out[0])
        return plan.placement

    def _write(self, picture: Image, out: NDArray[Any]) -> None:
        if self._spec.layout == "nhwc":
            pixels = out if self._spec.channels > 1 else out[:, :, 0]
            if self._spec.dtype == "uint8":
                np.copyto(pixels, picture)
            else:
                cv2.LUT(picture, self._tables, dst=_bits(pixels))
            return
        if self._spec.dtype == "uint8":
            _split(picture, out)
            return
        planes = picture[np.newaxis] if picture.ndim == 2 else _split(picture, self._planes)
        for i, plane in enumerate(planes):
            cv2.LUT(plane, self._tables[:, :, i], dst=_bits(out[i]))

    def _check_out(self, out: NDArray[Any]) -> None:
        spec = self._spec
        if out.shape != spec.shape or out.dtype != spec.dtype or not out.flags.c_contiguous:
            wanted = f"{list(spec.shape)} of {spec.dtype}, contiguous"
            got = f"{list(out.shape)} of {out.dtype}"
            mend = "correct the 'input' of its card"
            raise ModelError(f"model input '{spec.name}'", got=got, wanted=wanted, mend=mend)


class _Plan:
    """What is the same for all images of one encoding and size."""

    def __init__(self, image: NDArray[Any], encoding: str, spec: InputSpec) -> None:
        self._spec, self._encoding = spec, encoding
        self._resize_first = ENCODINGS[encoding].pointwise
        self.placement, (width, height) = place(image_size(image, encoding), spec)
        channels = ENCODINGS[encoding].channels if self._resize_first else spec.channels
        shape = (spec.size[1], spec.size[0], channels)
        self._canvas: Image = np.full(shape[: 2 if channels == 1 else 3], spec.pad_value, np.uint8)
        left, top = self.placement.offset_x, self.placement.offset_y
        self._inside = self._canvas[top : top + height, left : left + width]
        self._full: Image | None = None
        self._small: Image | None = None

    def fitted(self, image: NDArray[Any]) -> Image:
        """The image in the model's colours and size, border and all: (H, W, 3) or (H, W), in memory of this plan."""
        color = self._spec.color
        if not self._resize_first:
            self._full = image = to_channels(image, self._encoding, color, dst=self._full)
        cv2.resize(image, self._inside.shape[1::-1], dst=self._inside, interpolation=cv2.INTER_LINEAR)
        if not self._resize_first or ENCODINGS[self._encoding].prefix == color.upper():
            return self._canvas
        self._small = to_channels(self._canvas, self._encoding, color, dst=self._small)
        return self._small


def _tables(spec: InputSpec) -> NDArray[Any]:
    """(1, 256, channels): what each 8-bit pixel becomes; float16 as its bits, for OpenCV has no such table."""
    mean, std = (np.broadcast_to(np.asarray(values), spec.channels) for values in (spec.mean, spec.std))
    pixels = np.arange(256, dtype=np.float64)[:, np.newaxis] * spec.scale
    return _bits(np.ascontiguousarray(((pixels - mean) / std).astype(spec.dtype)[np.newaxis]))


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    return values.view(np.uint16) if values.dtype == np.float16 else values


def _split(picture: Image, planes: Image) -> Image:
    cv2.split(picture, list(planes))
    return planes
