"""What a change of a model costs, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge_ai.core.types import Result
from edge_ai.evaluation.answers import check_answers
from edge_ai.evaluation.metrics.base import Records
from edge_ai.evaluation.metrics.registry import METRICS
from edge_ai.evaluation.truth import Array, LabelError, Truth


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval in which it may lie.

    Attributes:
        value: of the pictures as they are.
        low, high: the interval; both the value where a single picture says nothing of it.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class before and after.

    Attributes:
        name: of the class.
        before, after: its metric.
        labelled: objects of it in the labels; pictures it is in, where there are no objects.
    """

    name: str
    before: float
    after: float
    labelled: int

    @property
    def loss(self) -> float:
        """What the change costs it; negative where it gains."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model beside what was made of it, on the same pictures.

    Attributes:
        metric: "AP50-95", "top-1", "mIoU" or "OKS AP".
        before, after: its value for both.
        loss: before less after, of the same pictures in each round; negative where it gained.
        classes: those that are labelled, in the model's order.
        extra: other figures by name, before and after.
        pictures: how many were judged.
        agreement: whether answers of the original were taken as right.
    """

    metric: str
    before: Estimate
    after: Estimate
    loss: Estimate
    classes: tuple[ClassScore, ...]
    extra: Mapping[str, tuple[float, float]]
    pictures: int
    agreement: bool


def compare(
    truth: Truth,
    before: Mapping[int, Result],
    after: Mapping[int, Result],
    *,
    rounds: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Judge two sides by the same truth.

    The intervals are of a bootstrap over pictures: each round draws as many pictures as there are, with repetition, and
    judges both sides on the same ones; percentiles bound the interval. What two variants have in common, such as hard
    pictures, thus does not blur their difference. Frames of one video resemble each other: intervals from them are
    narrower than those of as many pictures of different scenes would be.

    Args:
        truth: what is right.
        before: answers of the original, by picture id; all detections down to a low score, for AP needs them.
        after: answers of the variant.
        rounds: of the bootstrap.
        confidence: share of the rounds within the intervals.
        seed: of the drawing; the same one gives the same intervals.

    Raises:
        LabelError: an answer is missing or of another kind, or the truth holds nothing to be found.
        EdgeAIError: pycocotools is not installed.
    """
    sides = [_records(truth, answers) for answers in (before, after)]
    draws = _draws(len(truth.pictures), rounds, seed)
    values = [side.value() for side in sides]
    drawn = [side.rounds(draws) for side in sides]
    names = sides[0].extra().keys() & sides[1].extra().keys()
    return Comparison(
        metric=METRICS.load(truth.task).name,
        before=_estimate(values[0], drawn[0], confidence),
        after=_estimate(values[1], drawn[1], confidence),
        loss=_estimate(values[0] - values[1], drawn[0] - drawn[1], confidence),
        classes=_classes(truth, sides[0], sides[1]),
        extra={name: (sides[0].extra()[name], sides[1].extra()[name]) for name in sorted(names)},
        pictures=len(truth.pictures),
        agreement=truth.agreement,
    )


def score(truth: Truth, answers: Mapping[int, Result]) -> float:
    """The metric alone. Errors as for `compare`."""
    return _records(truth, answers).value()


def _records(truth: Truth, answers: Mapping[int, Result]) -> Records:
    check_answers(truth, answers)
    records = METRICS.load(truth.task)().records(truth, answers)
    if not records.labelled.any():
        got = f"nothing to be found in {len(truth.pictures)} pictures"
        raise LabelError("comparing answers with labels", got=got, wanted="labelled pictures", mend="label some")
    return records


def _classes(truth: Truth, before: Records, after: Records) -> tuple[ClassScore, ...]:
    rows = zip(truth.class_names, before.classes(), after.classes(), before.labelled, strict=True)
    return tuple(ClassScore(name, float(a), float(b), int(count)) for name, a, b, count in rows if count)


def _draws(pictures: int, rounds: int, seed: int) -> Array:
    """(rounds, pictures): how often each picture is in."""
    draws: Array = np.random.default_rng(seed).multinomial(pictures, np.full(pictures, 1 / pictures), rounds)
    return draws.astype(np.float64)


def _estimate(value: float, drawn: Array, confidence: float) -> Estimate:
    sound = drawn[~np.isnan(drawn)]
    if not len(sound):
        return Estimate(value, value, value)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(sound, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))
