"""YOLOX: a grid of cells, or boxes decoded in the model.

Ge et al., "YOLOX" (2021): centre = (offset + cell) * stride, size = exp(value) * stride.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import Rows, Strides, cells, corners
from edge_ai.processing.decode.yolov5 import select_objects


class YoloXOptions(DecoderOptions):
    """Options of `YoloX`."""

    family: Literal["yolox"] = Field(description="`yolox`")
    strides: Strides = Field((8, 16, 32), description="pixels a cell of each map, in the order of the output")
    decoded: bool = Field(False, description="the model gives boxes in pixels (exported with its decoding)")


class YoloX(Decoder[YoloXOptions, RawDetections]):
    """Reads predictions [1, N, 5 + C]: four box values, objectness, classes (both probabilities); score = product."""

    OPTIONS = YoloXOptions
    ROLES = (("predictions",),)

    def __init__(self, options: YoloXOptions, names: Mapping[str, str], target: Target) -> None:
        super().__init__(options, names, target)
        self._points, self._strides = cells(target.size, options.strides, offset=0.0)

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        predictions = tensors["predictions"]
        self.expect("predictions", predictions, 1, len(self._points), 5 + self.target.classes)
        rows, scores, class_ids = select_objects(predictions[0], self.target.threshold)
        values = predictions[0, rows, :4]
        boxes = values if self.options.decoded else self._placed(values, rows)
        return RawDetections(corners(boxes), scores, class_ids)

    def _placed(self, values: FloatArray, rows: Rows) -> FloatArray:
        strides = self._strides[rows]
        centers = values[:, :2] * strides + self._points[rows]
        with np.errstate(over="ignore"):  # the base class refuses what overflows
            return np.concatenate([centers, np.exp(values[:, 2:]) * strides], axis=1)
