"""The table of goals that ends a benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from edge_ai.core.goals import Goal as Goal


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
