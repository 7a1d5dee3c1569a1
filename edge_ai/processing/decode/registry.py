"""The decoders there are: one line a model family."""

from __future__ import annotations

from typing import Any

from edge_ai.core.registry import Registry
from edge_ai.processing.decode.base import Decoder

DECODERS: Registry[type[Decoder[Any, Any]]] = Registry(
    "decoder family",
    {
        "nanodet": "edge_ai.processing.decode.nanodet:NanoDet",
        "yolov5": "edge_ai.processing.decode.yolov5:YoloV5",
        "yolov8": "edge_ai.processing.decode.yolov8:YoloV8",
        "yolox": "edge_ai.processing.decode.yolox:YoloX",
        "ssd": "edge_ai.processing.decode.ssd:Ssd",
        "end_to_end": "edge_ai.processing.decode.end_to_end:EndToEnd",
        "centernet": "edge_ai.processing.decode.centernet:CenterNet",
        "pose_rows": "edge_ai.processing.decode.pose_rows:PoseRows",
        "classifier": "edge_ai.processing.decode.classifier:Classifier",
        "segmenter": "edge_ai.processing.decode.segmenter:Segmenter",
    },
)
