"""Percentiles, medians and growth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float], p: float) -> float:
    """The value that ``p`` percent lie below, linear between neighbours; NaN where there are no values."""
    return float(np.percentile(values, p)) if len(values) else float("nan")


def median(values: Sequence[float]) -> float:
    """The middle value; NaN where there are none."""
    return percentile(values, 50)


def in_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Durations in seconds, summed up in milliseconds."""
    summary: dict[str, float] = {"n": len(seconds)}
    if len(seconds):
        summary.update({f"p{p}": round(percentile(seconds, p) * 1e3, 3) for p in (50, 90, 99)})
        summary["max"] = round(max(seconds) * 1e3, 3)
    return summary


def growth(values: Sequence[float]) -> float:
    """The median of the last third over that of the first; NaN for fewer than three values."""
    third = len(values) // 3
    return median(values[-third:]) / median(values[:third]) if third else float("nan")


def rate(instants: Sequence[float]) -> float:
    """Events a second, from the first to the last of them; NaN for fewer than two.

    Args:
        instants: seconds, ascending.
    """
    span = instants[-1] - instants[0] if len(instants) > 1 else 0.0
    return (len(instants) - 1) / span if span > 0 else float("nan")


def calm(disturbance: Sequence[float], bound: float, least: int) -> list[int]:
    """The rounds to judge by: those disturbed no more than ``bound``, or all where fewer than ``least`` are.

    Returns:
        Indices of rounds.
    """
    chosen = [i for i, value in enumerate(disturbance) if value <= bound]
    return chosen if len(chosen) >= least else list(range(len(disturbance)))
