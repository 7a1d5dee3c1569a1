"""How far two answers to one picture agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from edge_ai.core.boxes import ious
from edge_ai.core.types import Detections, Result


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers to one picture.

    Attributes:
        pairs: (index in the recorded answer, index in the new one, overlap as IoU) of what both found.
        missed: indices of what only the recorded answer has.
        added: indices of what only the new one has.
        other: whether they differ in the best class of the whole picture, or in more than 1 % of the mask's pixels.
    """

    pairs: tuple[tuple[int, int, float], ...] = ()
    missed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    other: bool = False

    @property
    def size(self) -> int:
        """How many things differ."""
        return len(self.missed) + len(self.added) + self.other


def difference(recorded: Result, new: Result, least_overlap: float = 0.5) -> Difference:
    """Match detections of the same class name, the ones that overlap most first.

    Args:
        recorded: what the robot answered.
        new: what is answered now, of the same picture.
        least_overlap: IoU below which two boxes are of different things.
    """
    ours, theirs = recorded.detections, new.detections
    overlaps = ious(ours.boxes, theirs.boxes)
    names, other_names = [ours.name(i) for i in range(len(ours))], [theirs.name(j) for j in range(len(theirs))]
    same = np.array([[one == other for other in other_names] for one in names], bool).reshape(overlaps.shape)
    overlaps = np.where(same, overlaps, 0.0)
    pairs: list[tuple[int, int, float]] = []
    while overlaps.size and overlaps.max() >= max(least_overlap, 1e-6):
        i, j = divmod(int(overlaps.argmax()), overlaps.shape[1])
        pairs.append((i, j, float(overlaps[i, j])))
        overlaps[i, :] = overlaps[:, j] = 0.0
    found, other_found = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    return Difference(
        tuple(pairs),
        tuple(i for i in range(len(ours)) if i not in found),
        tuple(j for j in range(len(theirs)) if j not in other_found),
        _other(recorded, new),
    )


@dataclass(slots=True)
class ClassCounts:
    """One class, over all pictures: found by both, by the recorded answers alone, by the new ones alone."""

    both: int = 0
    missed: int = 0
    added: int = 0


@dataclass(slots=True)
class Totals:
    """All pictures.

    Attributes:
        compared: pictures with a recorded answer.
        alone: pictures without one.
        same: pictures in which nothing differs.
        classes: by class name.
        overlaps: IoU of each pair.
        scores: score now less score then, of each pair.
        models: names of the recorded models, with how many answers each gave.
    """

    compared: int = 0
    alone: int = 0
    same: int = 0
    classes: dict[str, ClassCounts] = field(default_factory=dict)
    overlaps: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    models: Counter[str] = field(default_factory=Counter)

    def add(self, recorded: Result, new: Result, found: Difference) -> None:
        """Count one picture."""
        self.compared += 1
        self.same += not found.size
        self.models[f"{recorded.model_name} {recorded.model_version} ({recorded.source})"] += 1
        for i, j, overlap in found.pairs:
            self._of(recorded.detections, i).both += 1
            self.overlaps.append(overlap)
            self.scores.append(float(new.detections.scores[j] - recorded.detections.scores[i]))
        for i in found.missed:
            self._of(recorded.detections, i).missed += 1
        for j in found.added:
            self._of(new.detections, j).added += 1

    def _of(self, found: Detections, i: int) -> ClassCounts:
        return self.classes.setdefault(found.name(i), ClassCounts())

    @property
    def all(self) -> ClassCounts:
        """All classes together."""
        rows = self.classes.values()
        return ClassCounts(sum(r.both for r in rows), sum(r.missed for r in rows), sum(r.added for r in rows))

    @property
    def overlap(self) -> float:
        """Mean IoU of the pairs; NaN without any."""
        return float(np.mean(self.overlaps)) if self.overlaps else float("nan")

    @property
    def score(self) -> float:
        """Mean change of the score; NaN without any."""
        return float(np.mean(self.scores)) if self.scores else float("nan")


def _other(recorded: Result, new: Result) -> bool:
    one, other = recorded.classification, new.classification
    if one is not None and other is not None and len(one) and len(other):
        return one.name(0) != other.name(0)
    mask, new_mask = recorded.segmentation, new.segmentation
    if mask is not None and new_mask is not None and mask.mask.shape == new_mask.mask.shape:
        return bool((mask.mask != new_mask.mask).mean() > 0.01)
    return False
