"""Segmentation: how far the regions of each class overlap, over all pictures together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_ai.core.types import Result
from edge_ai.evaluation.answers import class_table, wanted
from edge_ai.evaluation.metrics.base import Records
from edge_ai.evaluation.truth import IGNORED, Array, LabelError, Truth


class MeanIou:
    """Mean over the classes that the truth holds of intersection over union; beside it the share of right pixels."""

    name = "mIoU"

    def records(self, truth: Truth, answers: Mapping[int, Result]) -> Records:
        """See `Metric.records`."""
        shape = (len(truth.pictures), len(truth.class_names))
        both, right, found = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for place, picture in enumerate(truth.pictures):
            answer = wanted(answers[picture.id].segmentation, "segmentation", answers[picture.id])
            draw = truth.labelled[picture.id].mask
            mask = None if draw is None else draw()
            if mask is None or mask.shape != answer.mask.shape:
                got = f"a mask of {answer.mask.shape[::-1]} for {picture}"
                raise LabelError("comparing masks", got=got, wanted=f"one of {picture.width}x{picture.height}")
            known = mask != IGNORED
            table = np.full(256, shape[1], np.int32)
            table[: len(answer.labels)] = class_table(truth, answer.labels, shape[1])[:256][: len(answer.labels)]
            said, is_right = table[answer.mask[known]], mask[known]
            right[place] = _count(is_right, shape[1])
            found[place] = _count(said, shape[1])
            both[place] = _count(said[said == is_right], shape[1])
        return _Overlaps(both, right, found)


def _count(classes: Array, number: int) -> Array:
    counts: Array = np.bincount(classes.ravel(), minlength=number + 1)[:number]
    return counts


class _Overlaps(Records):
    """Args: (P, C) pixels where truth and answer are of a class, where the truth is, and where the answer is."""

    def __init__(self, both: Array, right: Array, found: Array) -> None:
        self._both, self._right, self._union = both, right, right + found - both
        self.labelled = (right > 0).sum(axis=0)

    @property
    def pictures(self) -> int:
        """See `Records.pictures`."""
        return len(self._both)

    def rounds(self, weights: Array) -> Array:
        """See `Records.rounds`."""
        shares = self._shares(weights)
        there = ~np.isnan(shares)
        count = there.sum(axis=1)
        mean: Array = np.where(count > 0, np.where(there, shares, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
        return mean

    def classes(self) -> Array:
        """See `Records.classes`."""
        shares: Array = self._shares(np.ones((1, self.pictures)))[0]
        return shares

    def extra(self) -> Mapping[str, float]:
        """The share of all pixels that are right."""
        return {"pixel accuracy": float(self._both.sum() / max(self._right.sum(), 1))}

    def _shares(self, weights: Array) -> Array:
        """(rounds, C), NaN for a class that the truth does not hold."""
        union = weights @ self._union
        shares: Array = np.where(weights @ self._right > 0, weights @ self._both / np.maximum(union, 1), np.nan)
        return shares
