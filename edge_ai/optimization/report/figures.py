"""The figures of a report: from its data to what is drawn, with captions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from edge_ai.optimization.report.plots import Bar, Pair, bars, pairs
from edge_ai.optimization.report.scatter import Dot, scatter
from edge_ai.optimization.report.words import UNKNOWN, known, number, percent, points, safe, scaled

Rows = Sequence[Mapping[str, Any]]
_FEW = 8  # rows that stand in one column


def accuracy_figure(variants: Rows, metric: str) -> str:
    """Accuracy against latency; empty where no variant has both."""
    dots = [dot for dot in map(_dot, variants) if dot is not None]
    if not dots:
        return ""
    kinds, front = {dot.kind for dot in dots}, sum(dot.pareto for dot in dots)
    keys = [
        open_key("original") if "original" in kinds else "",
        key("", "--good", "shipped") if "shipped" in kinds else "",
        key("", "--blue", "other") if "other" in kinds else "",
        _entry('<span class="key line"></span>', "none is better in all") if front > 1 else "",
    ]
    drawn = scatter(dots, "latency, ms (median)", f"{metric}, %")
    return _figure("Accuracy against latency", f"{' '.join(keys)} Bars are confidence intervals.", drawn)


def size_figure(variants: Rows) -> str:
    """Bars of the files' sizes; empty where none is known."""
    first = next((one.get("size") for one in variants if one.get("name") == "original"), None)
    rows = []
    for one in variants:
        size, ratio = one.get("size"), ""
        if known(size) and known(first) and size and one.get("name") != "original":
            ratio = (
                f", {number(first / size)}\u00d7 smaller" if size <= first else f", {number(size / first)}\u00d7 larger"
            )
        rows.append(Bar(str(one.get("name", "?")), size, scaled(size, "B") + ratio, _kind(one)))
    if not any(known(row.value) for row in rows):
        return ""
    return _figure("Size of the model file", "", bars(rows, "size of the model file"))


def sensitivity_figures(layers: Rows, most: int) -> str:
    """Bars of the worst layers, in two columns."""
    worst = sorted(layers, key=lambda one: -one["error"] if known(one.get("error")) else 0.0)[:most]
    rows, begin = [], _common([str(one.get("layer", "?")) for one in worst])
    for one in worst:
        words = number(one["error"] * 100, "%") if known(one.get("error")) else UNKNOWN
        words += ", kept" if one.get("kept") else ""
        name, operator = str(one.get("layer", "?"))[begin:], str(one.get("operator", ""))
        label = name if operator in name else f"{name} ({operator})"
        rows.append(Bar(label, one.get("error"), words, "kept" if one.get("kept") else "plain"))
    longest = max((float(row.value) for row in rows if row.value is not None and known(row.value)), default=0.0)
    columns = [bars(column, "error of each layer", longest=longest) for column in _columns(rows)]
    return _plots(columns)


def class_figures(classes: Rows, metric: str, most: int) -> str:
    """Before and after of each class; where there are many, of those that lost most."""
    worst = sorted(classes, key=_gain)[:most] if len(classes) > most else classes
    rows = [_pair(one) for one in worst]
    head = f"the {most} of {len(classes)} that lost most" if len(classes) > most else ""
    keys = f"{open_key('before')} {key('', '--blue', 'after')} "
    caption = f'<p class="dim">{keys}{safe(metric)} from 0 to 100\u00a0%; in brackets how many were labelled'
    return f"{caption}{f'; {head}' if head else ''}.</p>{_plots([pairs(c, metric) for c in _columns(rows)])}"


def key(shape: str, colour: str, name: str) -> str:
    """An entry of a legend."""
    return _entry(f'<span class="key {shape}" style="background: var({colour})"></span>', name)


def open_key(name: str) -> str:
    """A ring with its meaning."""
    return _entry('<span class="key open"></span>', name)


def _entry(mark: str, name: str) -> str:
    return f'<span class="entry">{mark}{safe(name)}</span>'


def _common(names: Sequence[str]) -> int:
    """How long the path is that all the names begin with."""
    if len(names) < 2:
        return 0
    first, last = min(names), max(names)  # what these two share, all share
    same = sum(1 for _ in itertools.takewhile(lambda two: two[0] == two[1], zip(first, last, strict=False)))
    return first.rfind("/", 0, same) + 1


def _dot(variant: Mapping[str, Any]) -> Dot | None:
    x = _interval(variant.get("latency_ms"), "p50", 1.0)
    y = _interval(variant.get("accuracy"), "value", 100.0)
    if x is None or y is None:
        return None
    return Dot(str(variant.get("name", "?")), x, y, _kind(variant), bool(variant.get("pareto")))


def _interval(estimate: Any, center: str, factor: float) -> tuple[float, float, float] | None:
    if not isinstance(estimate, Mapping) or not known(estimate.get(center)):
        return None
    value = estimate[center]
    low, high = (estimate[end] if known(estimate.get(end)) else value for end in ("low", "high"))
    return value * factor, min(low, value) * factor, max(high, value) * factor


def _kind(variant: Mapping[str, Any]) -> str:
    return "original" if variant.get("name") == "original" else "shipped" if variant.get("shipped") else "other"


def _pair(one: Mapping[str, Any]) -> Pair:
    before, after = one.get("before"), one.get("after")
    words = f"{percent(before)} \u2192 {percent(after)}" if known(before) or known(after) else UNKNOWN
    if known(before) and known(after):
        words = f"{before * 100:.1f} \u2192 {after * 100:.1f}\u00a0%, {points(after - before)}"
    labelled = f" ({one['labelled']})" if one.get("labelled") is not None else ""
    return Pair(f"{one.get('name', '?')}{labelled}", before, after, words)


def _gain(one: Mapping[str, Any]) -> float:
    before, after = one.get("before"), one.get("after")
    return float(after - before) if known(before) and known(after) else 0.0


def _columns(rows: Sequence[Any]) -> list[Sequence[Any]]:
    half = (len(rows) + 1) // 2
    return [rows] if len(rows) <= _FEW else [rows[:half], rows[half:]]


def _plots(drawn: Sequence[str]) -> str:
    return f'<div class="plots">{"".join(f"<figure>{one}</figure>" for one in drawn)}</div>'


def _figure(title: str, caption: str, drawn: str) -> str:
    line = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure><h3>{safe(title)}</h3>{line}{drawn}</figure>"
