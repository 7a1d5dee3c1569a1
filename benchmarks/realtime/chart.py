"""Bar charts as SVG, lying, so that labels have room; colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _LABELS, _PLOT = 980, 310, 430  # px: the whole, the column of labels, the bars
_BAR, _GAP, _TOP, _AXIS = 16, 10, 8, 44  # px: height of a bar, between rows, above all, for the axis
_TICKS = 5


def bar_chart(chart: Mapping[str, Any]) -> str:
    """A chart as an SVG element.

    Args:
        chart: ``unit`` of the axis and ``rows``, each with a ``label`` and ``bars``, one value or one for each entry of
            the chart's ``legend``; with ``goal`` or ``goals`` (one a bar, None for none) and ``better`` ("higher" or
            "lower") each bar is marked where its goal is. A value of None was not measured.
    """
    rows: Sequence[Mapping[str, Any]] = chart["rows"]
    values = [v for row in rows for v in (*row["bars"], *_goals(row)) if _known(v)]
    step = nice_step(max(values, default=1.0))
    top = step * max(1, math.ceil(max(values, default=1.0) / step - 1e-9))
    drawn, y = [], _TOP
    for row in rows:
        drawn.append(_row(row, y, top))
        y += _BAR * len(row["bars"]) + _GAP
    height = y + _AXIS
    axis = _axis(top, step, y, chart["unit"])
    name = escape(f"{chart['title']}, {chart['unit']}", quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{name}">{axis}{"".join(drawn)}</svg>'


def nice_step(largest: float) -> float:
    """A round distance between ticks: 1, 2 or 5 times a power of ten, at most `_TICKS` up to the largest value."""
    raw = max(largest, 1e-9) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def _row(row: Mapping[str, Any], y: float, top: float) -> str:
    middle = y + _BAR * len(row["bars"]) / 2
    parts = [f'<text class="label" x="{_LABELS - 10}" y="{middle:.1f}">{escape(str(row["label"]))}</text>']
    goals = _goals(row) or [None] * len(row["bars"])
    for i, (value, goal) in enumerate(zip(row["bars"], goals, strict=True)):
        at = y + i * _BAR
        if _known(value):
            width = _PLOT * value / top
            parts.append(f'<rect class="bar{i}" x="{_LABELS}" y="{at + 1}" width="{width:.1f}" height="{_BAR - 2}"/>')
        if _known(goal):
            x = _LABELS + _PLOT * goal / top
            parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{at - 1}" y2="{at + _BAR + 1}"/>')
        parts.append(_words(value, goal, row.get("better", "higher"), at + _BAR / 2))
    return "".join(parts)


def _words(value: float | None, goal: float | None, better: str, y: float) -> str:
    """What stands beside a bar, in a column of its own where it meets nothing."""
    kind, words = "value", f"{value:.4g}" if _known(value) else "not measured"
    if _known(goal):
        met = _known(value) and (value >= goal if better == "higher" else value <= goal)
        kind = "value met" if met else "value missed"
        words += f" (goal {'≥' if better == 'higher' else '≤'} {goal:.4g}: {'met' if met else 'missed'})"
    return f'<text class="{kind}" x="{_LABELS + _PLOT + 14}" y="{y:.1f}">{words}</text>'


def _axis(top: float, step: float, y: float, unit: str) -> str:
    parts = []
    for i in range(round(top / step) + 1):
        x = _LABELS + _PLOT * i * step / top
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 13}">{i * step:g}</text>')
    parts.append(f'<text class="tick" x="{_LABELS + _PLOT / 2}" y="{y + 32}">{escape(unit)}</text>')
    return "".join(parts)


def _goals(row: Mapping[str, Any]) -> list[float | None]:
    return list(row["goals"]) if "goals" in row else [row["goal"]] * len(row["bars"]) if "goal" in row else []


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)
