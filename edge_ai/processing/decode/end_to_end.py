"""Models that answer with finished boxes: YOLOv10 and YOLO26, YOLOv7 with NMS, CenterNet, DETR, RT-DETR and D-FINE."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from edge_ai.core.errors import InferenceError
from edge_ai.core.types import FloatArray, IntArray
from edge_ai.processing.card_part import FROM_LIST
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import (
    AnyActivation,
    Background,
    Rows,
    activated,
    before,
    corners,
    select_objects,
    to_pixels,
)

Columns = Annotated[tuple[Literal["box", "score", "class", "batch"], ...], FROM_LIST]


class EndToEndOptions(DecoderOptions):
    """Options of `EndToEnd`."""

    family: Literal["end_to_end"] = Field(description="`end_to_end`")
    columns: Columns = Field(("box", "score", "class"), description="what a row of `detections` holds, in order")
    box_format: Literal["xyxy", "yxyx", "cxcywh"] = Field("xyxy", description="what the four numbers of a box are")
    normalized: bool = Field(False, description="boxes are in parts of the input, not in pixels")
    activation: AnyActivation = Field("none", description="what turns scores into probabilities; `none`: they are")
    background: Background = Field("none", description="which class of `scores` is none, and has no label")
    first_class: int = Field(0, ge=0, description="the model's number for the first label")

    @model_validator(mode="after")
    def _each_once(self) -> EndToEndOptions:
        if sorted(self.columns) not in (["box", "class", "score"], ["batch", "box", "class", "score"]):
            raise ValueError("'columns' must name box, score and class once each, and batch at most once")
        return self

    def spans(self) -> tuple[dict[str, slice], int]:
        """Where each column lies in a row, and the row's length."""
        spans: dict[str, slice] = {}
        start = 0
        for column in self.columns:
            stop = start + (4 if column == "box" else 1)
            spans[column] = slice(start, stop)
            start = stop
        return spans, start


class EndToEnd(Decoder[EndToEndOptions, RawDetections]):
    """Reads detections [1, N, 6] or [N, 6]; or boxes [1, N, 4], scores [1, N] and labels [1, N]; or boxes and
    scores [1, N, C]. Rows below the threshold are padding: their class is not looked at.
    """

    OPTIONS = EndToEndOptions
    ROLES = (("detections",), ("boxes", "scores", "labels"), ("boxes", "scores"))
    NEEDS_NMS = False

    @classmethod
    def unfit(cls, options: EndToEndOptions, roles: Collection[str], target: Target) -> str:
        """See `Decoder.unfit`."""
        if set(roles) != {"boxes", "scores"} and (options.activation == "softmax" or options.background != "none"):
            return "'activation' softmax or a 'background', wanted neither where there is one score a box"
        return ""

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        if "detections" in tensors:
            boxes, scores, labels = self._columns(tensors["detections"])
        elif "labels" in tensors:
            boxes, scores, labels = self._separate(tensors)
        else:
            return self._by_class(tensors)
        activation = self.options.activation
        rows = np.flatnonzero(scores >= before(activation, self.target.threshold))
        return self._found(boxes, rows, activated(scores[rows], activation), self._class_ids(labels[rows]))

    def _by_class(self, tensors: dict[str, FloatArray]) -> RawDetections:
        options, threshold = self.options, self.target.threshold
        self.expect("boxes", tensors["boxes"], 1, "N", 4)
        boxes = tensors["boxes"][0]
        self.expect("scores", tensors["scores"], 1, len(boxes), self.target.classes + (options.background != "none"))
        return self._found(
            boxes, *select_objects(tensors["scores"][0], threshold, options.activation, options.background)
        )

    def _columns(self, table: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        spans, length = self.options.spans()
        if table.ndim == 2:
            self.expect("detections", table, "N", length)
        else:
            self.expect("detections", table, 1, "N", length)
            table = table[0]
        return table[:, spans["box"]], table[:, spans["score"]][:, 0], table[:, spans["class"]][:, 0]

    def _separate(self, tensors: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
        self.expect("boxes", tensors["boxes"], 1, "N", 4)
        count = tensors["boxes"].shape[1]
        self.expect("scores", tensors["scores"], 1, count)
        self.expect("labels", tensors["labels"], 1, count)
        return tensors["boxes"][0], tensors["scores"][0], tensors["labels"][0]

    def _found(self, boxes: FloatArray, rows: Rows, scores: FloatArray, class_ids: IntArray) -> RawDetections:
        chosen = boxes[rows]
        if self.options.box_format == "cxcywh":
            chosen = corners(chosen)
        elif self.options.box_format == "yxyx":
            chosen = chosen[:, [1, 0, 3, 2]]
        if self.options.normalized:
            chosen = to_pixels(chosen, self.target.size)
        return RawDetections(chosen, scores, class_ids)

    def _class_ids(self, labels: FloatArray) -> IntArray:
        numbers = labels - self.options.first_class
        known = (numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < self.target.classes)
        if not known.all():
            wanted = f"whole numbers from {self.options.first_class}, {self.target.classes} of them"
            mend = "correct the decoder's 'columns' or 'first_class', or the number of 'labels'"
            raise InferenceError("classes in the model output", got=f"{labels[~known][0]:g}", wanted=wanted, mend=mend)
        return numbers.astype(np.int32)
