"""Keypoints: COCO's average precision by object keypoint similarity (OKS) instead of overlap."""

from __future__ import annotations

from collections.abc import Mapping

from edge_ai.core.types import Result
from edge_ai.evaluation.metrics.matching import precision_records
from edge_ai.evaluation.metrics.precision_records import PrecisionRecords
from edge_ai.evaluation.truth import Truth


class KeypointPrecision:
    """By how far keypoints lie from where they should, measured against the object's size."""

    name = "OKS AP"

    def records(self, truth: Truth, answers: Mapping[int, Result]) -> PrecisionRecords:
        """See `Metric.records`."""
        return precision_records(truth, answers, "keypoints", "OKS ")
