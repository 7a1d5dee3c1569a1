"""Classification: the share of pictures whose best class is right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_ai.core.types import Result
from edge_ai.evaluation.answers import class_table, wanted
from edge_ai.evaluation.metrics.base import Records
from edge_ai.evaluation.truth import Array, Truth

_FEW = 5


class Top1:
    """Top-1 accuracy; beside it top-5, where the answers hold five classes."""

    name = "top-1"

    def records(self, truth: Truth, answers: Mapping[int, Result]) -> Records:
        """See `Metric.records`."""
        shape = (len(truth.pictures), len(truth.class_names))
        labelled, right, among = np.zeros(shape), np.zeros(len(truth.pictures)), np.zeros(len(truth.pictures))
        fewest = len(truth.class_names)
        for place, picture in enumerate(truth.pictures):
            answer = wanted(answers[picture.id].classification, "classification", answers[picture.id])
            accepted = truth.labelled[picture.id].class_ids
            order = np.argsort(-answer.scores, kind="stable")[:_FEW]
            best = class_table(truth, answer.labels, -1)[answer.class_ids[order]]
            labelled[place, accepted] = 1
            right[place] = len(best) > 0 and best[0] in accepted
            among[place] = bool(np.isin(best, accepted).any())
            fewest = min(fewest, len(best))
        return _Shares(labelled, right, among if fewest >= _FEW else None)


class _Shares(Records):
    """Args: (P, C) which classes are right, (P,) whether the best one is, (P,) whether one of the best five is."""

    def __init__(self, labelled: Array, right: Array, among: Array | None) -> None:
        self._labelled, self._right, self._among = labelled, right, among
        self._there = labelled.any(axis=1)
        self.labelled = labelled.sum(axis=0).astype(int)

    @property
    def pictures(self) -> int:
        """See `Records.pictures`."""
        return len(self._right)

    def rounds(self, weights: Array) -> Array:
        """See `Records.rounds`."""
        total = weights @ self._there
        share: Array = np.where(total > 0, weights @ self._right / np.maximum(total, 1), np.nan)
        return share

    def classes(self) -> Array:
        """The share of the pictures of a class that are right."""
        right: Array = self._right @ self._labelled
        share: Array = np.where(self.labelled > 0, right / np.maximum(self.labelled, 1), np.nan)
        return share

    def extra(self) -> Mapping[str, float]:
        """Top-5 accuracy."""
        return {} if self._among is None else {"top-5": float(self._among.sum() / max(self._there.sum(), 1))}
