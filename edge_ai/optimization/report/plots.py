"""Lying bars and pairs of dots as SVG; colours come from the page's style sheet.

By hand, not matplotlib: that would be 60 MB for four figures, and theirs cannot follow the reader's light or dark. All
figures are drawn 360 wide, about a phone's width, so that their letters can be read there; a desktop puts two in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_ai.optimization.report.words import known, safe, shortened

WIDTH = 360
"""Of every figure's viewBox."""
_LETTERS = 48  # of 13 px that fit into the width
_ROW, _TEXT, _BAR = 34, 14, 8  # px: height of a row, base of its text, thickness of its bar
_EDGE = 6  # px that dots need at both ends


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart.

    Attributes:
        label: what it stands for.
        value: its length; None or NaN draws no bar.
        words: the value as text.
        kind: class in the style sheet.
    """

    label: str
    value: float | None
    words: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of a chart of two values each, shares of 1; what was not measured has no dot."""

    label: str
    before: float | None
    after: float | None
    words: str


def bars(rows: Sequence[Bar], name: str, *, longest: float | None = None) -> str:
    """A bar chart.

    Args:
        rows: from top to bottom.
        name: what it shows, for who cannot see it.
        longest: the value whose bar is as wide as the figure; default: the largest. For charts beside each other.

    Returns:
        an SVG element.
    """
    top = longest or max((float(row.value) for row in rows if row.value is not None and known(row.value)), default=0.0)
    parts = []
    for i, row in enumerate(rows):
        parts.append(_text(i, row.label, row.words))
        parts.append(f'<rect class="track" x="0" y="{_bar_top(i)}" width="{WIDTH}" height="{_BAR}" rx="2"/>')
        if row.value is not None and known(row.value) and top > 0:
            width = min(max(WIDTH * row.value / top, 0.0), WIDTH)
            parts.append(
                f'<rect class="bar {row.kind}" x="0" y="{_bar_top(i)}" width="{width:.2f}" height="{_BAR}" rx="2"/>'
            )
    return svg("".join(parts), len(rows) * _ROW, name)


def pairs(rows: Sequence[Pair], name: str) -> str:
    """A chart with a line from the value before to that after, on a scale from 0 to 1.

    Returns:
        an SVG element.
    """
    parts = []
    for i, row in enumerate(rows):
        y = _bar_top(i) + _BAR / 2
        parts.append(_text(i, row.label, row.words))
        parts.append(f'<line class="scale" x1="{_EDGE}" x2="{WIDTH - _EDGE}" y1="{y}" y2="{y}"/>')
        before, after = _place(row.before), _place(row.after)
        if before is not None and after is not None:
            kind = "worse" if after < before else "better"
            parts.append(f'<line class="change {kind}" x1="{before:.2f}" x2="{after:.2f}" y1="{y}" y2="{y}"/>')
        if before is not None:
            parts.append(f'<circle class="before" cx="{before:.2f}" cy="{y}" r="4.5"/>')
        if after is not None:
            parts.append(f'<circle class="after" cx="{after:.2f}" cy="{y}" r="4"/>')
    return svg("".join(parts), len(rows) * _ROW, name)


def svg(content: str, height: float, name: str) -> str:
    """An SVG element of the common width."""
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{safe(name)}">{content}</svg>'


def _text(row: int, label: str, words: str) -> str:
    """A row's label at its left and value at its right end; the whole label where the mouse rests."""
    y, short = row * _ROW + _TEXT, shortened(label, max(_LETTERS - len(words), 12))
    title = f"<title>{safe(label)}</title>" if short != label else ""
    return (
        f'<text class="label" x="0" y="{y}">{title}{safe(short)}</text>'
        f'<text class="value" x="{WIDTH}" y="{y}">{safe(words)}</text>'
    )


def _bar_top(row: int) -> int:
    return row * _ROW + _TEXT + 6


def _place(share: Any) -> float | None:
    return _EDGE + (WIDTH - 2 * _EDGE) * min(max(share, 0.0), 1.0) if known(share) else None
