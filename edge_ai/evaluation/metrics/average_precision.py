"""Detection: COCO's average precision, the mean over overlaps from 0.50 to 0.95."""

from __future__ import annotations

from collections.abc import Mapping

from edge_ai.core.types import Result
from edge_ai.evaluation.metrics.matching import precision_records
from edge_ai.evaluation.metrics.precision_records import PrecisionRecords
from edge_ai.evaluation.truth import Truth


class AveragePrecision:
    """By the overlap of boxes."""

    name = "AP50-95"

    def records(self, truth: Truth, answers: Mapping[int, Result]) -> PrecisionRecords:
        """See `Metric.records`."""
        return precision_records(truth, answers, "bbox", "")
