"""SSD: offsets from default boxes and a score a class, with a background class among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.card_part import FROM_LIST
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import AnyActivation, Background, Rows, corners, select_objects, to_pixels
from edge_ai.processing.decode.ssd_anchors import ssd_anchors

Cells = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), FROM_LIST]
Ratios = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1), FROM_LIST]
COLUMNS = {"yxhw": [1, 0, 3, 2], "xywh": [0, 1, 2, 3]}


class SsdOptions(DecoderOptions):
    """Options of `Ssd`; the defaults are those of TensorFlow's SSD models for 300 x 300 pixels."""

    family: Literal["ssd"] = Field(description="`ssd`")
    activation: AnyActivation = Field("sigmoid", description="what makes probabilities")
    background: Background = Field("first", description="which class is the background")
    box_order: Literal["yxhw", "xywh"] = Field("yxhw", description="order of the four box values")
    center_variance: float = Field(0.1, gt=0, description="centre offsets are multiplied by this")
    size_variance: float = Field(0.2, gt=0, description="logarithms of sizes are multiplied by this")
    feature_maps: Cells = Field((19, 10, 5, 3, 2, 1), description="cells along a side of each map")
    min_scale: float = Field(0.2, gt=0, description="anchor scale on the first map, in parts of the input")
    max_scale: float = Field(0.95, gt=0, description="anchor scale on the last map")
    aspect_ratios: Ratios = Field((1.0, 2.0, 0.5, 3.0, 1 / 3), description="width / height of a cell's anchors")
    reduce_lowest: bool = Field(True, description="only three anchors a cell on the first map")


class Ssd(Decoder[SsdOptions, RawDetections]):
    """Reads boxes [1, N, 4] (offsets from anchors) and scores [1, N, classes + background]."""

    OPTIONS = SsdOptions
    ROLES = (("boxes", "scores"),)

    def __init__(self, options: SsdOptions, names: Mapping[str, str], target: Target) -> None:
        super().__init__(options, names, target)
        self._anchors = ssd_anchors(
            options.feature_maps,
            min_scale=options.min_scale,
            max_scale=options.max_scale,
            aspect_ratios=options.aspect_ratios,
            reduce_lowest=options.reduce_lowest,
        )

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        options = self.options
        self.expect("boxes", tensors["boxes"], 1, len(self._anchors), 4)
        self.expect(
            "scores", tensors["scores"], 1, len(self._anchors), self.target.classes + (options.background != "none")
        )
        rows, scores, class_ids = select_objects(
            tensors["scores"][0], self.target.threshold, options.activation, options.background
        )
        boxes = corners(self._placed(tensors["boxes"][0, rows], rows))
        return RawDetections(to_pixels(boxes, self.target.size), scores, class_ids)

    def _placed(self, values: FloatArray, rows: Rows) -> FloatArray:
        anchors, values = self._anchors[rows], values[:, COLUMNS[self.options.box_order]]
        centers = values[:, :2] * self.options.center_variance * anchors[:, 2:] + anchors[:, :2]
        with np.errstate(over="ignore"):  # the base class refuses what overflows
            sizes = np.exp(values[:, 2:] * self.options.size_variance) * anchors[:, 2:]
        return np.concatenate([centers, sizes], axis=1)
