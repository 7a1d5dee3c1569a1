"""The metrics there are: one line a task."""

from __future__ import annotations

from edge_ai.core.registry import Registry
from edge_ai.evaluation.metrics.base import Metric

METRICS: Registry[type[Metric]] = Registry(
    "metric for the task",
    {
        "detection": "edge_ai.evaluation.metrics.average_precision:AveragePrecision",
        "keypoints": "edge_ai.evaluation.metrics.keypoint_precision:KeypointPrecision",
        "classification": "edge_ai.evaluation.metrics.top1:Top1",
        "segmentation": "edge_ai.evaluation.metrics.mean_iou:MeanIou",
    },
)
