"""People with their keypoints, one a row: MoveNet multipose, and YOLOv8's and YOLO11's pose models."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from edge_ai.core.types import FloatArray
from edge_ai.processing.card_part import FROM_LIST
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import Activation, activated, before, corners, to_pixels

Columns = Annotated[tuple[Literal["keypoints", "box", "score"], ...], FROM_LIST]


class PoseRowsOptions(DecoderOptions):
    """Options of `PoseRows`; the defaults are those of MoveNet multipose."""

    family: Literal["pose_rows"] = Field(description="`pose_rows`")
    columns: Columns = Field(("keypoints", "box", "score"), description="what a row holds, in order")
    keypoint_order: Literal["xy", "yx"] = Field("yx", description="order of a keypoint's numbers; its score is third")
    box_format: Literal["xyxy", "yxyx", "cxcywh"] = Field("yxyx", description="what the four numbers of a box are")
    normalized: bool = Field(True, description="all are in parts of the input, not in pixels")
    transposed: bool = Field(False, description="the rows lie along the last axis")
    activation: Activation = Field("none", description="what turns a row's score into a probability; `none`: it is")

    @model_validator(mode="after")
    def _each_once(self) -> PoseRowsOptions:
        if sorted(self.columns) != ["box", "keypoints", "score"]:
            raise ValueError("'columns' must name keypoints, box and score once each")
        return self


class PoseRows(Decoder[PoseRowsOptions, RawDetections]):
    """Reads rows [1, N, 3 K + 5]: K keypoints with a probability each, a box and its score. All are of one class."""

    OPTIONS = PoseRowsOptions
    ROLES = (("rows",),)
    TASKS = ("keypoints",)
    NEEDS_NMS = False

    @classmethod
    def unfit(cls, options: PoseRowsOptions, roles: Collection[str], target: Target) -> str:
        """See `Decoder.unfit`."""
        return "" if target.classes == 1 else f"{target.classes} 'labels', wanted one: all rows are of one class"

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        options, table = self.options, tensors["rows"]
        width = 3 * self.target.keypoints + 5
        self.expect("rows", table, 1, *((width, "N") if options.transposed else ("N", width)))
        rows = table[0].T if options.transposed else table[0]
        spans = self._spans()
        values = rows[:, spans["score"]][:, 0]
        chosen = np.flatnonzero(values >= before(options.activation, self.target.threshold))
        rows, scores = rows[chosen], activated(values[chosen], options.activation)
        ids = np.zeros(len(rows), np.int32)
        return RawDetections(self._boxes(rows[:, spans["box"]]), scores, ids, self._points(rows[:, spans["keypoints"]]))

    def _spans(self) -> dict[str, slice]:
        lengths = {"keypoints": 3 * self.target.keypoints, "box": 4, "score": 1}
        spans: dict[str, slice] = {}
        start = 0
        for column in self.options.columns:
            spans[column] = slice(start, start + lengths[column])
            start += lengths[column]
        return spans

    def _boxes(self, boxes: FloatArray) -> FloatArray:
        if self.options.box_format == "cxcywh":
            boxes = corners(boxes)
        elif self.options.box_format == "yxyx":
            boxes = boxes[:, [1, 0, 3, 2]]
        return to_pixels(boxes, self.target.size) if self.options.normalized else boxes

    def _points(self, values: FloatArray) -> FloatArray:
        points = values.reshape(-1, self.target.keypoints, 3)[:, :, [0, 1, 2]]  # a copy
        if self.options.keypoint_order == "yx":
            points = points[:, :, [1, 0, 2]]
        if self.options.normalized:
            points = points * np.array([*self.target.size, 1], np.float32)
        return points
