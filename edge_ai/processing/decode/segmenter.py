"""Semantic segmentation: a class for each pixel, by scores of all classes or of one foreground, or named outright."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.errors import InferenceError
from edge_ai.core.types import FloatArray, IntArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawMap, Target
from edge_ai.processing.decode.common import AnyActivation, Layout, activated, planes

_MOST_CLASSES = 256  # a mask has 8 bits


class SegmenterOptions(DecoderOptions):
    """Options of `Segmenter`."""

    family: Literal["segmenter"] = Field(description="`segmenter`")
    layout: Layout = Field("nchw", description="order of the axes of `scores`")
    activation: AnyActivation = Field("none", description="what turns scores into probabilities; see below")


class Segmenter(Decoder[SegmenterOptions, RawMap]):
    """Reads scores [1, C, H, W], or [1, 1, H, W] or [1, H, W] of the foreground, label 1, alone; with the channels
    last where ``layout`` is nhwc. Or reads classes [1, H, W]: the number of each cell's class.

    H and W may be any part of the input's: the map covers all of it.
    """

    OPTIONS = SegmenterOptions
    ROLES = (("scores",), ("classes",))
    TASKS = ("segmentation",)
    NEEDS_NMS = False

    @classmethod
    def unfit(cls, options: SegmenterOptions, roles: Collection[str], target: Target) -> str:
        """See `Decoder.unfit`."""
        if 2 <= target.classes <= _MOST_CLASSES:
            return ""
        return f"{target.classes} 'labels', wanted 2 to {_MOST_CLASSES}: the background first"

    def decode(self, tensors: dict[str, FloatArray]) -> RawMap:
        if "classes" in tensors:
            return self._named(tensors["classes"])
        scores, threshold = tensors["scores"], self.target.threshold
        if self.target.classes == 2 and self.options.activation != "softmax" and _is_single(scores, self.options):
            foreground = activated(scores.reshape(1, *_cells(scores, self.options)), self.options.activation)
            return RawMap(foreground, np.array([1], np.int32), threshold)
        shape = ("H", "W", self.target.classes) if self.options.layout == "nhwc" else (self.target.classes, "H", "W")
        self.expect("scores", scores, 1, *shape)
        maps = planes(scores, self.options.layout)
        if self.options.activation != "none":
            maps = activated(maps.transpose(1, 2, 0), self.options.activation).transpose(2, 0, 1)
        present = _winners(maps)
        return RawMap(maps[present], present, threshold if threshold > 0 else -math.inf)

    def _named(self, numbers: FloatArray) -> RawMap:
        self.expect("classes", numbers, 1, "H", "W")
        present = np.unique(numbers)
        wrong = present[(present != np.floor(present)) | (present < 0) | (present >= self.target.classes)]
        if len(wrong):
            wanted = f"whole numbers below {self.target.classes}, the number of labels"
            mend = "correct the card's 'labels' or 'outputs'"
            raise InferenceError("classes in the model output", got=f"{wrong[0]:g}", wanted=wanted, mend=mend)
        maps = (numbers == present[:, np.newaxis, np.newaxis]).astype(np.float32)
        return RawMap(maps, present.astype(np.int32), -math.inf)


def _is_single(scores: FloatArray, options: SegmenterOptions) -> bool:
    channel = -1 if options.layout == "nhwc" else 1
    return scores.shape[:1] == (1,) and (scores.ndim == 3 or (scores.ndim == 4 and scores.shape[channel] == 1))


def _cells(scores: FloatArray, options: SegmenterOptions) -> tuple[int, ...]:
    if scores.ndim == 3:
        return scores.shape[1:]
    return scores.shape[1:3] if options.layout == "nhwc" else scores.shape[2:]


def _winners(maps: FloatArray) -> IntArray:
    """The classes that are the best one of some cell."""
    counts = np.bincount(maps.argmax(axis=0).ravel(), minlength=len(maps))
    return np.flatnonzero(counts).astype(np.int32)
