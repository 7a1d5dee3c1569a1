"""The gate of the workshop: accurate enough, and better in something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_ai.core.goals import Goal
from edge_ai.evaluation.budget import Budget as Budget
from edge_ai.evaluation.compare import Comparison
from edge_ai.optimization.judging.measure import Measured

GAIN = 0.02
"""Least part by which a variant must be faster, smaller or thriftier: below is noise."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a variant may be shipped.

    Attributes:
        shipped: it may.
        reasons: why, a sentence each: of a refusal what was missed, else what was met.
        goals: the figures it was judged by.
        warnings: what whoever ships it should know.
    """

    shipped: bool
    reasons: tuple[str, ...]
    goals: tuple[Goal, ...]
    warnings: tuple[str, ...] = field(default=())


def judge(budget: Budget, found: Comparison, before: Measured, after: Measured) -> Decision:
    """Hold a variant against its original.

    Args:
        budget: what may be lost.
        found: the accuracy of both.
        before: how the original ran.
        after: how the variant ran, in turns with it.
    """
    gains = dict(_gains(before, after))
    best = max(gains, key=lambda name: gains[name])
    gain = Goal(f"gain in {best}, the best of {', '.join(gains)}", gains[best], GAIN, "higher")
    goals = (*budget.goals(found), gain)
    missed = [goal for goal in goals if not goal.met]
    reasons = [_words(goal) for goal in (missed or (goals[0], gain))]
    return Decision(not missed, tuple(reasons), goals, tuple(_warnings(budget, found, before, after)))


def _gains(before: Measured, after: Measured) -> Iterator[tuple[str, float]]:
    """By what part the variant is better; of what is noisy by the sure end of its interval."""
    yield "latency", 1 - 1 / after.speedup(before).low
    yield "size", 1 - after.size / before.size
    if (saving := after.saving(before)) is not None:
        yield "energy", saving.low


def _words(goal: Goal) -> str:
    sign = "at least" if goal.better == "higher" else "at most"
    value = "not measured" if goal.as_json()["value"] is None else f"{goal.value:.4g}"
    return f"{goal.name}: {value}, {sign} {goal.bound:g} wanted"


def _warnings(budget: Budget, found: Comparison, before: Measured, after: Measured) -> Iterator[str]:
    if found.agreement:
        yield "no labels: accuracy is agreement with the original, whose mistakes count as right"
    if not budget.sure and found.loss.value <= budget.max_loss < found.loss.high:
        yield f"the loss may be up to {found.loss.high:.4f}: {found.pictures} pictures cannot tell better"
    speedup = after.speedup(before)
    if speedup.high < 1:
        yield f"slower than the original here: {speedup.value:.2f} times its speed"
