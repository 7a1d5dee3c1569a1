"""Goals: a figure, its bound, and whether it was met; a figure that could not be had is a miss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Goal:
    """A figure with a bound.

    Attributes:
        name: what it is, with its unit.
        value: what was measured; None or NaN: it could not be.
        bound: the least or greatest value that will do; NaN: it could not be had, so the goal is missed.
        better: "higher" if the bound is the least value, "lower" if it is the greatest.
    """

    name: str
    value: float | None
    bound: float
    better: Literal["higher", "lower"]

    @property
    def met(self) -> bool:
        """Whether the figure was had and keeps to its bound."""
        if self.value is None or math.isnan(self.value):
            return False
        return self.value >= self.bound if self.better == "higher" else self.value <= self.bound

    def as_json(self) -> dict[str, Any]:
        """The goal as it stands in the report."""
        value = None if self.value is None or math.isnan(self.value) else self.value
        bound = None if math.isnan(self.bound) else self.bound
        return {"name": self.name, "value": value, "bound": bound, "better": self.better, "met": self.met}


def table(goals: Sequence[Goal]) -> str:
    """All goals, met and missed, a line each; the last line counts them."""
    rows = [("", "goal", "measured", "bound")]
    rows += [
        (
            "met" if goal.met else "MISSED",
            goal.name,
            "not measured" if goal.as_json()["value"] is None else f"{goal.value:.4g}",
            f"{'at least' if goal.better == 'higher' else 'at most'} {goal.bound:.4g}".replace("nan", "unknown"),
        )
        for goal in goals
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    met = sum(goal.met for goal in goals)
    return "\n".join([*lines, f"{met} of {len(goals)} goals met, {len(goals) - met} missed"])
