"""CenterNet and its kin, CenterFace among them, from their raw maps: objects as peaks of a heatmap.

Zhou et al., "Objects as Points" (2019), section 4: a peak is a cell not below its eight neighbours; its box lies around
the cell plus an offset. Xu et al., "CenterFace" (2019): the same with the logarithms of sizes, and landmarks that lie
in parts of the box from its top left corner.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import Activation, Layout, Rows, activated, before, planes

_NEIGHBOURS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]


class CenterNetOptions(DecoderOptions):
    """Options of `CenterNet`; the defaults are those of CenterNet itself."""

    family: Literal["centernet"] = Field(description="`centernet`")
    stride: int = Field(4, ge=1, description="pixels a cell")
    layout: Layout = Field("nchw", description="order of the maps' axes")
    activation: Activation = Field("none", description="what turns the heatmap into probabilities; `none`: it is")
    peaks: bool = Field(True, description="only cells not below their eight neighbours are objects")
    candidates: int = Field(1000, ge=1, description="at most so many cells, the best")
    order: Literal["xy", "yx"] = Field("xy", description="order of the two numbers of sizes, offsets and landmarks")
    log_size: bool = Field(False, description="sizes are given by their logarithms")
    center_offset: float = Field(0.0, ge=0, le=1, description="added to each offset, in cells")
    landmarks: Literal["cell", "box"] = Field(
        "cell", description="landmarks are in cells from the cell, or in parts of the box from its top left corner"
    )


class CenterNet(Decoder[CenterNetOptions, RawDetections]):
    """Reads heatmap [1, C, H, W], sizes [1, 2, H, W] in cells, offsets [1, 2, H, W] in cells and, for keypoints,
    landmarks [1, 2 K, H, W]; each with its channels last where ``layout`` is nhwc.

    A landmark has no score of its own: it gets that of its object. Without offsets ``center_offset`` stands alone.
    """

    OPTIONS = CenterNetOptions
    ROLES = (
        ("heatmap", "sizes", "offsets"),
        ("heatmap", "sizes"),
        ("heatmap", "sizes", "offsets", "landmarks"),
        ("heatmap", "sizes", "landmarks"),
    )
    TASKS = ("detection", "keypoints")
    NEEDS_NMS = False

    @classmethod
    def unfit(cls, options: CenterNetOptions, roles: Collection[str], target: Target) -> str:
        """See `Decoder.unfit`."""
        if ("landmarks" in roles) != bool(target.keypoints):
            return f"{target.keypoints} 'keypoints' with the outputs {{{', '.join(roles)}}}, wanted both or neither"
        return ""

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        options = self.options
        classes, y, x, values = self._best(self._map(tensors, "heatmap", self.target.classes))
        scores = activated(values, options.activation)
        cells = np.stack([x, y], axis=1).astype(np.float32)
        centers = cells + self._pairs(tensors, "offsets", y, x)[:, 0] + np.float32(options.center_offset)
        sizes = self._pairs(tensors, "sizes", y, x)[:, 0]
        if options.log_size:
            with np.errstate(over="ignore"):  # the base class refuses what overflows
                np.exp(sizes, out=sizes)
        boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
        keypoints = None
        if "landmarks" in tensors:
            start, unit = (boxes[:, :2], sizes) if options.landmarks == "box" else (cells, np.ones_like(sizes))
            points = self._pairs(tensors, "landmarks", y, x) * unit[:, np.newaxis] + start[:, np.newaxis]
            confidence = np.broadcast_to(scores[:, np.newaxis, np.newaxis], (*points.shape[:2], 1))
            keypoints = np.concatenate([points * options.stride, confidence], axis=2)
        return RawDetections(boxes * options.stride, scores, classes.astype(np.int32), keypoints)

    def _best(self, heat: FloatArray) -> tuple[Rows, Rows, Rows, FloatArray]:
        """Class, row, column and raw value of the cells that are objects, best first."""
        classes, y, x = np.nonzero(heat >= before(self.options.activation, self.target.threshold))
        values: FloatArray = heat[classes, y, x]
        if self.options.peaks:
            top = _is_peak(heat, classes, y, x, values)
            classes, y, x, values = classes[top], y[top], x[top], values[top]
        best = np.argsort(-values, kind="stable")[: self.options.candidates]
        return classes[best], y[best], x[best], values[best]

    def _map(self, tensors: dict[str, FloatArray], role: str, channels: int) -> FloatArray:
        """(channels, H, W)."""
        width, height = (math.ceil(length / self.options.stride) for length in self.target.size)
        shape = (channels, height, width) if self.options.layout == "nchw" else (height, width, channels)
        self.expect(role, tensors[role], 1, *shape)
        return planes(tensors[role], self.options.layout)

    def _pairs(self, tensors: dict[str, FloatArray], role: str, y: Rows, x: Rows) -> FloatArray:
        """(M, pairs, 2) x, y of the cells; zeros where the model has no such map."""
        count = self.target.keypoints if role == "landmarks" else 1
        if role not in tensors:
            return np.zeros((len(y), count, 2), np.float32)
        pairs: FloatArray = self._map(tensors, role, 2 * count)[:, y, x].T.reshape(-1, count, 2)
        return pairs if self.options.order == "xy" else pairs[..., ::-1]


def _is_peak(heat: FloatArray, classes: Rows, y: Rows, x: Rows, values: FloatArray) -> Rows:
    """Which of some cells are not below any of their neighbours; outside of the map there are none."""
    height, width = heat.shape[1:]
    peak = np.ones(len(values), np.bool_)
    for down, right in _NEIGHBOURS:
        peak &= values >= heat[classes, np.clip(y + down, 0, height - 1), np.clip(x + right, 0, width - 1)]
    return np.flatnonzero(peak)
