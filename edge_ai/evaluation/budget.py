"""What a change of a model may cost: the rule by which every gate decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge_ai.core.errors import ParameterError
from edge_ai.core.goals import Goal
from edge_ai.evaluation.compare import Comparison

FEWEST_LABELS = 10
"""A class labelled less often is not judged by itself: one picture would decide."""

FEWEST_PICTURES = 8
"""Fewer prove nothing, and their intervals are as narrow as they are wrong."""

LEAST_ORIGINAL = 0.05
"""What the original must score itself: who has nothing to lose proves nothing, and labels of other pictures look so."""

LEAST_SCORES = {"detection": 0.05, "keypoints": 0.05, "classification": 1e-6}
"""From what score on answers are to be judged, by task; for others the card's holds. AP is the area under a curve over
all detections, not over the good ones, and the best class of a picture is the best however low."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost.

    Attributes:
        max_loss: of the accuracy (AP50-95, top-1, mIoU, ...; 0 to 1), at most.
        class_loss: the same for each class that has `FEWEST_LABELS` labels or more.
        sure: the upper end of the interval of the loss must keep to the budget, not only the loss itself.

    Raises:
        ParameterError: a loss is not within 0 to 1.
    """

    max_loss: float = 0.01
    class_loss: float = 0.05
    sure: bool = False

    def __post_init__(self) -> None:
        for name, option in (("max_loss", "--max-ap-loss"), ("class_loss", "--max-class-loss")):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(option, got=getattr(self, name), wanted="a number from 0 to 1")

    def goals(self, found: Comparison) -> tuple[Goal, ...]:
        """The figures that decide, the loss first; a variant is accurate enough if all are met."""
        value = found.loss.high if self.sure else found.loss.value
        name = f"{found.metric} loss{', upper end of its interval' if self.sure else ''}"
        return (
            Goal(name, value, self.max_loss, "lower"),
            *self._classes(found),
            Goal(f"{found.metric} of the original", found.before.value, LEAST_ORIGINAL, "higher"),
            Goal("pictures judged on", found.pictures, FEWEST_PICTURES, "higher"),
        )

    def holds(self, found: Comparison) -> bool:
        """Whether a variant is accurate enough."""
        return all(goal.met for goal in self.goals(found))

    def _classes(self, found: Comparison) -> Iterator[Goal]:
        judged = [one for one in found.classes if one.labelled >= FEWEST_LABELS]
        if judged and len(found.classes) > 1:  # of a single class the loss is the whole loss
            worst = max(judged, key=lambda one: one.loss if one.loss == one.loss else 1.0)
            yield Goal(f"{found.metric} loss of class '{worst.name}'", worst.loss, self.class_loss, "lower")
