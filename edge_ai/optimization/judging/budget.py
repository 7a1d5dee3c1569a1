"""The gate: what a variant of a model may cost, and what it must gain, to be shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_ai.core.errors import ParameterError
from edge_ai.core.goals import Goal
from edge_ai.evaluation.compare import Comparison
from edge_ai.optimization.judging.measure import Measured

LABELLED = 10
"""Labels a class must have for its own accuracy to be judged: with fewer, one picture decides."""

GAIN = 0.02
"""Least part by which a variant must be faster, smaller or thriftier: below is noise."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost.

    Attributes:
        max_loss: of the accuracy (AP50-95, top-1, mIoU, ...; 0 to 1), at most.
        class_loss: the same for each class that has `LABELLED` labels or more.
        sure: the upper end of the interval of the loss must keep to the budget, not only the loss itself.
    """

    max_loss: float = 0.01
    class_loss: float = 0.05
    sure: bool = False

    def __post_init__(self) -> None:
        for name, option in (("max_loss", "--max-ap-loss"), ("class_loss", "--max-class-loss")):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(option, got=getattr(self, name), wanted="a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a variant may be shipped.

    Attributes:
        shipped: it may.
        reasons: why, a sentence each; with a refusal first.
        goals: the figures it was judged by.
        warnings: what whoever ships it should know.
    """

    shipped: bool
    reasons: tuple[str, ...]
    goals: tuple[Goal, ...]
    warnings: tuple[str, ...] = field(default=())


def judge(budget: Budget, found: Comparison, before: Measured, after: Measured) -> Decision:
    """Hold a variant against its original: accurate enough, and better in something.

    Args:
        budget: what may be lost.
        found: the accuracy of both.
        before: how the original ran.
        after: how the variant ran, in turns with it.
    """
    goals = [_loss(budget, found), *_classes(budget, found)]
    gains = dict(_gains(before, after))
    best = max(gains, key=lambda name: gains[name])
    goals.append(Goal(f"gain in {best}, the best of {', '.join(gains)}", gains[best], GAIN, "higher"))
    missed = [goal for goal in goals if not goal.met]
    reasons = [_words(goal) for goal in (missed or goals)]
    return Decision(not missed, tuple(reasons), tuple(goals), tuple(_warnings(budget, found, before, after)))


def accurate(budget: Budget, found: Comparison) -> bool:
    """Whether a variant loses no more than the budget allows, over all and in each class."""
    return all(goal.met for goal in (_loss(budget, found), *_classes(budget, found)))


def _loss(budget: Budget, found: Comparison) -> Goal:
    value = found.loss.high if budget.sure else found.loss.value
    name = f"{found.metric} loss{', upper end of its interval' if budget.sure else ''}"
    return Goal(name, value, budget.max_loss, "lower")


def _classes(budget: Budget, found: Comparison) -> Iterator[Goal]:
    judged = [one for one in found.classes if one.labelled >= LABELLED and one.before == one.before]
    if len(judged) > 1:
        worst = max(judged, key=lambda one: one.before - one.after)
        yield Goal(
            f"{found.metric} loss of class '{worst.name}'", worst.before - worst.after, budget.class_loss, "lower"
        )


def _gains(before: Measured, after: Measured) -> Iterator[tuple[str, float]]:
    """By what part the variant is better; for times the sure end of the interval, since they are noisy."""
    speedup = after.speedup(before)
    yield "latency", 1 - 1 / speedup.low if speedup.low > 0 else 0.0
    yield "size", 1 - after.size / before.size
    if before.energy_mj and after.energy_mj:
        yield "energy", 1 - after.energy_mj / before.energy_mj


def _words(goal: Goal) -> str:
    sign = "at least" if goal.better == "higher" else "at most"
    value = "not measured" if goal.value is None else f"{goal.value:.4f}"
    return f"{goal.name}: {value}, {sign} {goal.bound:g} wanted"


def _warnings(budget: Budget, found: Comparison, before: Measured, after: Measured) -> Iterator[str]:
    if found.agreement:
        yield "no labels: accuracy is agreement with the original, whose mistakes count as right"
    if not budget.sure and found.loss.value <= budget.max_loss < found.loss.high:
        yield f"the loss may be up to {found.loss.high:.4f}: {found.pictures} pictures cannot tell better"
    speedup = after.speedup(before)
    if speedup.high < 1:
        yield f"slower than the original here: {speedup.value:.2f} times its speed"
