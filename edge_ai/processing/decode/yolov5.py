"""YOLOv5 and its like (YOLOv7 without its own NMS, decoded YOLOX): boxes decoded, objectness beside the classes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray, IntArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections
from edge_ai.processing.decode.common import Rows, corners, select, to_pixels


class YoloV5Options(DecoderOptions):
    """Options of `YoloV5`."""

    family: Literal["yolov5"] = Field(description="`yolov5`")
    normalized: bool = Field(False, description="boxes are in parts of the input, not in pixels")


class YoloV5(Decoder[YoloV5Options, RawDetections]):
    """Reads predictions [1, N, 5 + C]: centre x, centre y, width, height, objectness, classes; score = product."""

    OPTIONS = YoloV5Options
    ROLES = (("predictions",),)

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        predictions = tensors["predictions"]
        self.expect("predictions", predictions, 1, "N", 5 + self.target.classes)
        rows, scores, class_ids = select_objects(predictions[0], self.target.threshold)
        boxes = corners(predictions[0, rows, :4])
        if self.options.normalized:
            boxes = to_pixels(boxes, self.target.size)
        return RawDetections(boxes, scores, class_ids)


def select_objects(predictions: FloatArray, threshold: float) -> tuple[Rows, FloatArray, IntArray]:
    """The rows of an (N, 5 + C) table whose objectness times best class reaches a threshold.

    Returns:
        As for `edge_ai.processing.decode.common.select`.
    """
    likely = np.flatnonzero(predictions[:, 4] >= threshold)
    chosen = predictions[likely]
    rows, scores, class_ids = select(chosen[:, 5:] * chosen[:, 4:5], threshold)
    return likely[rows], scores, class_ids
