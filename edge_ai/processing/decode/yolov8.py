"""YOLOv8, YOLO11 and their like: boxes decoded, no objectness, candidates along the last axis."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections
from edge_ai.processing.decode.common import corners, select, to_pixels


class YoloV8Options(DecoderOptions):
    """Options of `YoloV8`."""

    family: Literal["yolov8"] = Field(description="`yolov8`")
    normalized: bool = Field(False, description="boxes are in parts of the input, not in pixels")


class YoloV8(Decoder[YoloV8Options, RawDetections]):
    """Reads predictions [1, 4 + C, N]: centre x, centre y, width, height, then a probability a class."""

    OPTIONS = YoloV8Options
    ROLES = (("predictions",),)

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        predictions = tensors["predictions"]
        self.expect("predictions", predictions, 1, 4 + self.target.classes, "N")
        rows, scores, class_ids = select(predictions[0, 4:], self.target.threshold, axis=0)
        boxes = corners(predictions[0, :4][:, rows].T)
        if self.options.normalized:
            boxes = to_pixels(boxes, self.target.size)
        return RawDetections(boxes, scores, class_ids)
