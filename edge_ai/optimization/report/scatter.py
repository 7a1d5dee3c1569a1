"""Accuracy against latency as SVG: error bars, the Pareto line, and labels that keep clear of each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_ai.optimization.report.plots import WIDTH, svg
from edge_ai.optimization.report.words import safe, shortened

_HEIGHT = 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, WIDTH - 14.0, 14.0, _HEIGHT - 46.0  # px: edges of the plot itself
_TICKS = 5
_LETTER, _LINE, _RADIUS = 6.6, 14.0, 5.0  # px: width of a letter, height of a line of text, size of a dot
_MOST_LETTERS = 27

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Dot:
    """One variant.

    Attributes:
        label: its name.
        x, y: (value, low end, high end) of its interval, all finite; low end and high end may equal the value.
        kind: class in the style sheet.
        pareto: no other is better in everything.
    """

    label: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    kind: str = "other"
    pareto: bool = False


def scatter(dots: Sequence[Dot], x_title: str, y_title: str) -> str:
    """The figure.

    Args:
        dots: at least one.
        x_title, y_title: of the axes, with the unit.

    Returns:
        an SVG element.
    """
    right, x_axis = _axis([v for dot in dots for v in dot.x], _LEFT, _RIGHT)
    up, y_axis = _axis([v for dot in dots for v in dot.y], _BOTTOM, _TOP)
    parts = [_grid(x_axis, right, y_axis, up, x_title, y_title)]
    front = _front(dots)
    if len(front) > 1:
        line = " ".join(f"{right(dot.x[0]):.2f},{up(dot.y[0]):.2f}" for dot in front)
        parts.append(f'<polyline class="pareto" points="{line}"/>')
    places = [(right(dot.x[0]), up(dot.y[0])) for dot in dots]
    whiskers = [_whiskers(dot, right, up) for dot in dots]
    for dot, two in zip(dots, whiskers, strict=True):
        parts += [f'<line class="whisker {dot.kind}" {_ends(box)}/>' for box in two]
    for dot, (x, y) in zip(dots, places, strict=True):
        parts.append(f'<circle class="dot {dot.kind}" cx="{x:.2f}" cy="{y:.2f}" r="{_RADIUS}"/>')
    lines = [box for two in whiskers for box in two]
    lines += _beads([(right(dot.x[0]), up(dot.y[0])) for dot in front])
    parts += _labels(dots, places, lines)
    return svg("".join(parts), _HEIGHT, f"{y_title} against {x_title}")


def _front(dots: Sequence[Dot]) -> list[Dot]:
    """The Pareto line from fast to slow; it only rises, so one that is on the front by its size alone is passed by."""
    line: list[Dot] = []
    for dot in sorted((dot for dot in dots if dot.pareto), key=lambda dot: (dot.x[0], -dot.y[0])):
        if not line or dot.y[0] > line[-1].y[0]:
            line.append(dot)
    return line


def _axis(values: Sequence[float], start: float, end: float) -> tuple[Callable[[float], float], list[float]]:
    """From a value to its place, and the ticks; from 0 unless the values lie close together."""
    low, high = min(values), max(values)
    low = 0.0 if 0 <= low < 0.5 * high else low
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = (low if low == 0 else max(low - room, 0.0) if low > 0 else low - room), high + room
    step = _step((high - low) / _TICKS)
    ticks = [round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return lambda value: start + (end - start) * (value - low) / (high - low), ticks


def _step(least: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _grid(
    x_ticks: Sequence[float],
    right: Callable[[float], float],
    y_ticks: Sequence[float],
    up: Callable[[float], float],
    x_title: str,
    y_title: str,
) -> str:
    parts = []
    for tick in x_ticks:
        x = right(tick)
        parts.append(f'<line class="grid" x1="{x:.2f}" x2="{x:.2f}" y1="{_TOP}" y2="{_BOTTOM}"/>')
        parts.append(f'<text class="tick middle" x="{x:.2f}" y="{_BOTTOM + 16}">{tick:g}</text>')
    for tick in y_ticks:
        y = up(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.2f}" y2="{y:.2f}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 6}" y="{y + 4:.2f}">{tick:g}</text>')
    middle, height = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    parts.append(f'<text class="tick middle" x="{middle}" y="{_HEIGHT - 10}">{safe(x_title)}</text>')
    turned = f'transform="rotate(-90 11 {height})"'
    parts.append(f'<text class="tick middle" x="11" y="{height}" {turned}>{safe(y_title)}</text>')
    return "".join(parts)


def _whiskers(dot: Dot, right: Callable[[float], float], up: Callable[[float], float]) -> tuple[Box, Box]:
    """The two error bars as boxes of no width or height."""
    x, y = right(dot.x[0]), up(dot.y[0])
    return (right(dot.x[1]), y, right(dot.x[2]), y), (x, up(dot.y[2]), x, up(dot.y[1]))


def _beads(line: Sequence[tuple[float, float]]) -> list[Box]:
    """A line of several pieces as small boxes, for labels to keep off."""
    boxes = []
    for (x1, y1), (x2, y2) in itertools.pairwise(line):
        count = int(math.hypot(x2 - x1, y2 - y1) // 4) + 1
        spots = [(x1 + (x2 - x1) * i / count, y1 + (y2 - y1) * i / count) for i in range(count)]
        boxes += [(x - 1, y - 1, x + 1, y + 1) for x, y in spots]
    return boxes


def _ends(box: Box) -> str:
    return f'x1="{box[0]:.2f}" y1="{box[1]:.2f}" x2="{box[2]:.2f}" y2="{box[3]:.2f}"'


def _labels(dots: Sequence[Dot], places: Sequence[tuple[float, float]], lines: Sequence[Box]) -> list[str]:
    """A label beside each dot, where it is least in the way; a thin line leads to one that had to move off."""
    taken = [(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS) for x, y in places]
    parts = []
    for dot, (x, y) in zip(dots, places, strict=True):
        text = shortened(dot.label, _MOST_LETTERS)
        _, away, box = min(_candidates(text, x, y, taken, lines), key=lambda one: one[0])
        taken.append(box)
        near = min(max(x, box[0]), box[2])
        base = box[3] - 3
        if away:
            end = box[3] if box[3] < y else box[1]
            parts.append(f'<line class="leader" {_ends((x, y, near, end))}/>')
        title = f"<title>{safe(dot.label)}</title>" if text != dot.label else ""
        parts.append(f'<text class="name {dot.kind}" x="{box[0]:.2f}" y="{base:.2f}">{title}{safe(text)}</text>')
    return parts


def _candidates(
    text: str, x: float, y: float, taken: Sequence[Box], lines: Sequence[Box]
) -> list[tuple[float, bool, Box]]:
    """Places for a label with how much each is in the way and whether it is away from its dot."""
    width, found = len(text) * _LETTER, []
    for ring, distance in enumerate((8.0, 22.0, 38.0, 54.0)):
        for across, down in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)):
            if ring and not down:
                continue
            left = x + distance if across > 0 else x - distance - width if across < 0 else x - width / 2
            left = min(max(left, _LEFT + 2), _RIGHT - width)
            wanted = y - _LINE / 2 + down * (distance + _LINE / 2)
            top = min(max(wanted, 1.0), _BOTTOM - 1 - _LINE)
            box = (left, top, left + width, top + _LINE)
            cost = ring * 40.0 + 1000.0 * (top != wanted) + 10 * sum(_overlap(box, other) for other in taken)
            cost += 3 * sum(_overlap(box, (a - 1, b - 1, c + 1, d + 1)) for a, b, c, d in lines)
            found.append((cost, ring > 0, box))
    return found


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0 and down > 0 else 0.0
