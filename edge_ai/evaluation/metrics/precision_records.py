"""Average precision of any choice of pictures, from what pycocotools matched once.

pycocotools adds up (`accumulate`) far too slowly to be called a thousand times, and its result does not need it: the
place of a picture's detections among all others does not depend on how often the picture is in. A picture that is in
three times is a weight of three; that gives what pycocotools gives for three copies, since only at a copy's last hit is
the curve's envelope reached. The sums are taken for all rounds at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_ai.evaluation.metrics.base import Records
from edge_ai.evaluation.truth import Array

_NUMBERS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The detections of one class in all pictures, best score first.

    Attributes:
        picture: (D,) the place of each one's picture.
        hit: (T, D) bool, whether it is right, at each least overlap.
        judged: (T, D) bool, False where it lies in a region that is to be ignored.
        wanted: (P,) how many objects each picture has.
    """

    picture: Array
    hit: Array
    judged: Array
    wanted: Array


class PrecisionRecords(Records):
    """See the module.

    Args:
        matches: one a class.
        recalls: (R,) at which precision is read off.
        prefix: of the names of the extra figures.
    """

    def __init__(self, matches: Sequence[Matches], recalls: Array, prefix: str = "") -> None:
        self._matches, self._recalls, self._prefix = tuple(matches), recalls, prefix
        self.labelled = np.array([int(one.wanted.sum()) for one in matches])

    @property
    def pictures(self) -> int:
        """See `Records.pictures`."""
        return len(self._matches[0].wanted)

    def rounds(self, weights: Array) -> Array:
        """See `Records.rounds`: the mean over classes and overlaps, as pycocotools has it."""
        return _mean(np.array([self._precisions(one, weights).mean(axis=1) for one in self._matches]))

    def classes(self) -> Array:
        """See `Records.classes`."""
        values: Array = self._once().mean(axis=1)
        return values

    def extra(self) -> Mapping[str, float]:
        """AP at the least overlap, 0.5."""
        return {f"{self._prefix}AP50": float(_mean(self._once()[:, :1])[0])}

    def _once(self) -> Array:
        """(C, T)"""
        ones = np.ones((1, self.pictures))
        return np.concatenate([self._precisions(one, ones) for one in self._matches])

    def _precisions(self, matches: Matches, weights: Array) -> Array:
        """(rounds, T), NaN where there is nothing to be found."""
        step = max(_NUMBERS_AT_ONCE // max(len(matches.picture), 1), 1)
        parts = [weights[i : i + step] for i in range(0, len(weights), step)]
        return np.concatenate([self._part(matches, part) for part in parts])

    def _part(self, matches: Matches, weights: Array) -> Array:
        total = weights @ matches.wanted
        values = np.full((len(weights), len(matches.hit)), np.nan)
        some = total > 0
        columns, total = weights[some][:, matches.picture], total[some, np.newaxis]
        for i, (hit, judged) in enumerate(zip(matches.hit, matches.judged, strict=True)):
            values[some, i] = self._curve(columns, np.flatnonzero(hit & judged), judged, total)
        return values

    def _curve(self, columns: Array, hits: Array, judged: Array, total: Array) -> Array:
        """(rounds,): mean precision over the recalls. Between hits it only falls: the curve is needed at hits alone."""
        if not len(hits):
            return np.zeros(len(columns))
        right = np.cumsum(columns[:, hits], axis=1)
        reported = np.cumsum(columns * judged, axis=1)[:, hits]
        precision = right / (reported + np.spacing(1))
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        reached = np.searchsorted(self._recalls, right / total, side="right")
        mean: Array = (np.diff(reached, axis=1, prepend=0) * envelope).sum(axis=1) / len(self._recalls)
        return mean


def _mean(values: Array) -> Array:
    """Mean over the classes (first axis) that are there; NaN where none is."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    sums = np.where(there, values, 0).sum(axis=0)
    mean: Array = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return mean
