"""How far two answers about one picture agree, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.boxes import ious
from edge_ai.core.types import Classification, Detections, Result, Segmentation

_SAME_PLACE = 0.5  # intersection over union from which two boxes are of one object
_SAME_POINT = 0.1  # diagonals of the box by which a keypoint may be off
_SEEN_POINT = 0.3  # score of a keypoint that counts


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two answers have in common; those of several pictures add up.

    Attributes:
        agreed: how much of the weight both say alike.
        weight: how much is said at all, by either: the scores of what is found; 1 for a classified or segmented
            picture. Pictures in which neither finds anything weigh nothing: they say nothing of either.
        closeness: ``agreed``, each part of it less by how far boxes and scores are from being the same.
    """

    agreed: float = 0.0
    weight: float = 0.0
    closeness: float = 0.0

    def __add__(self, other: Likeness) -> Likeness:
        return Likeness(self.agreed + other.agreed, self.weight + other.weight, self.closeness + other.closeness)

    @property
    def agreement(self) -> float:
        """From 0, nothing alike, to 1; 1 where there is no weight, which proves nothing."""
        return self.agreed / self.weight if self.weight else 1.0

    @property
    def close(self) -> float:
        """As ``agreement``, of the closeness: how near the two are to being one model."""
        return self.closeness / self.weight if self.weight else 1.0


def likeness(one: Result, other: Result) -> Likeness:
    """Compare two answers about the same picture; classes are compared by name, and other tasks have nothing in common.

    Objects are paired where class and place are the same (intersection over union 0.5), the surest first, and weigh as
    much as their scores: who is unsure of a box may as well leave it out. So the agreement is Dice's coefficient (1945)
    over scores: finding twice as much as the other, and all of that, gives 2/3. A pair whose keypoints differ counts
    by the share of those within a tenth of the box's diagonal. Classifications agree as far as each gives the best
    class of the other the score of its own best; segmentations by their mean intersection over union.
    """
    if one.segmentation is not None and other.segmentation is not None:
        return _masks(one.segmentation, other.segmentation)
    if one.classification is not None and other.classification is not None:
        return _classes(one.classification, other.classification)
    if _kind(one) != _kind(other):
        return Likeness(weight=1.0)
    return _objects(one.detections, other.detections)


def _kind(result: Result) -> tuple[bool, bool]:
    return result.segmentation is not None, result.classification is not None


def _objects(one: Detections, other: Detections) -> Likeness:
    weight = float(one.scores.sum() + other.scores.sum())
    agreed = closeness = 0.0
    for i, j, overlap in _pairs(one, other):
        scores = float(one.scores[i] + other.scores[j])
        pair = scores * _points(one, other, i, j)
        agreed += pair
        closeness += pair * overlap * (1 - abs(float(one.scores[i] - other.scores[j])))
    return Likeness(agreed, weight, closeness)


def _pairs(one: Detections, other: Detections) -> list[tuple[int, int, float]]:
    """Indices of what is the same object, and how far the boxes overlap."""
    if not len(one) or not len(other):
        return []
    overlaps = ious(one.boxes, other.boxes)
    names, others = [one.name(i) for i in range(len(one))], [other.name(j) for j in range(len(other))]
    overlaps[np.array(names)[:, None] != np.array(others)[None, :]] = 0.0
    pairs = []
    for i in range(len(one)):
        j = int(overlaps[i].argmax())
        if overlaps[i, j] >= _SAME_PLACE:
            pairs.append((i, j, float(overlaps[i, j])))
            overlaps[:, j] = 0.0
    return pairs


def _points(one: Detections, other: Detections, i: int, j: int) -> float:
    """The share of the keypoints that two objects have in the same place; 1 without keypoints."""
    if one.keypoints is None or other.keypoints is None:
        return 1.0
    mine, its = one.keypoints[i], other.keypoints[j]
    seen = np.maximum(mine[:, 2], its[:, 2]) >= _SEEN_POINT
    if not seen.any():
        return 1.0
    diagonal = float(np.linalg.norm(one.boxes[i, 2:] - one.boxes[i, :2]))
    far = np.linalg.norm(mine[seen, :2] - its[seen, :2], axis=1)
    return float((far <= _SAME_POINT * diagonal).mean())


def _classes(one: Classification, other: Classification) -> Likeness:
    if not len(one) and not len(other):
        return Likeness()
    if not len(one) or not len(other):
        return Likeness(weight=1.0)
    mine, its = _by_name(one), _by_name(other)
    agreed = (mine.get(other.name(0), 0.0) / mine[one.name(0)] + its.get(one.name(0), 0.0) / its[other.name(0)]) / 2
    apart = sum(abs(mine.get(name, 0.0) - its.get(name, 0.0)) for name in mine.keys() | its.keys()) / 2
    return Likeness(agreed, 1.0, agreed * max(0.0, 1 - apart))


def _by_name(found: Classification) -> dict[str, float]:
    """Scores; a name that several classes bear has that of the best."""
    return {found.name(i): max(float(found.scores[i]), 1e-9) for i in reversed(range(len(found)))}


def _masks(one: Segmentation, other: Segmentation) -> Likeness:
    if one.mask.shape != other.mask.shape:
        return Likeness(weight=1.0)
    names = tuple(dict.fromkeys([*one.labels, *other.labels]))
    mine, its = _numbered(one, names), _numbered(other, names)
    counts = np.bincount(mine.ravel() * len(names) + its.ravel(), minlength=len(names) ** 2)
    table = counts.reshape(len(names), len(names))
    union = table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
    overlap = float((np.diag(table)[union > 0] / union[union > 0]).mean())
    return Likeness(overlap, 1.0, overlap)


def _numbered(found: Segmentation, names: tuple[str, ...]) -> NDArray[np.int64]:
    table = np.zeros(256, np.int64)
    table[: len(found.labels)] = [names.index(label) for label in found.labels]
    numbered: NDArray[np.int64] = table[found.mask]
    return numbered
