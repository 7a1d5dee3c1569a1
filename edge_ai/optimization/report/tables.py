"""The tables of a report. On a phone the style sheet turns each row into a small list, headed by the cells' labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_ai.optimization.report.words import UNKNOWN, between, known, number, percent, points, safe, scaled

Row = Mapping[str, Any]
Rows = Sequence[Row]
_REFERENCE = "\u2013"
_AGAINST = ("loss", "speedup")  # of the original there is none


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of variants.

    Attributes:
        name: its head.
        path: key of a variant.
        show: the value as lines, the first in large letters.
    """

    name: str
    path: str
    show: Callable[[Any], tuple[str, ...]]

    def of(self, variant: Row) -> Any:
        """The value of a variant."""
        return variant.get(self.path)


def _latency(value: Any) -> tuple[str, ...]:
    tail = value.get("p99") if isinstance(value, Mapping) else None
    return *between(value, "ms", center="p50"), f"99 % in {number(tail)}" if known(tail) else ""


_COLUMNS = (
    Column("size", "size", lambda value: (scaled(value, "B"),)),
    Column("accuracy", "accuracy", lambda value: between(value, "%", factor=100)),
    Column("loss, points", "loss", lambda value: between(value, factor=100)),
    Column("latency, median", "latency_ms", _latency),
    Column("speed-up", "speedup", lambda value: between(value, "\u00d7")),
    Column("energy", "energy_mj", lambda value: (number(value, "mJ"),)),
    Column("CPU time", "cpu_ms", lambda value: (number(value, "ms"),)),
    Column("operations", "flops", lambda value: (scaled(value),)),
    Column("weights", "parameters", lambda value: (scaled(value),)),
    Column("foretold, 1/s", "forecast", lambda value: between(value, center="fps")),
)


def variant_table(variants: Rows, metric: str) -> str:
    """All variants. What was measured of none of them is named under the table instead of filling a column."""
    if not variants:
        return ""
    columns = [Column(metric if one.path == "accuracy" else one.name, one.path, one.show) for one in _COLUMNS]
    shown = [column for column in columns if any(_filled(column.of(one)) for one in variants)]
    absent = [column.name for column in columns if column not in shown and any(column.path in one for one in variants)]
    rows = []
    for one in variants:
        cells = [_about(one)]
        for column in shown:
            bare = one.get("name") == "original" and column.path in _AGAINST and not _filled(column.of(one))
            lines = (_REFERENCE,) if bare else column.show(column.of(one))
            cells.append(_figures(lines + (_extra(one) if column.path == "accuracy" else ()), column.name))
        rows.append((' class="chosen"' if one.get("shipped") else "", cells))
    missing = f'<p class="dim">Not measured: {safe(", ".join(absent))}.</p>' if absent else ""
    return f'<div class="wide">{_table(["variant", *(column.name for column in shown)], rows)}</div>{missing}'


def goal_table(goals: Rows) -> str:
    """What was to be reached and what was."""
    rows = []
    for goal in goals:
        state = "met" if goal.get("met") else "missed"
        sign = {"higher": "\u2265 ", "lower": "\u2264 "}.get(str(goal.get("better")), "")
        cells = [_cell(goal.get("name", "?"), "goal", "name"), _cell(_plain(goal.get("value")), "measured", "number")]
        cells += [_cell(sign + _plain(goal.get("bound")), "bound", "number"), _cell(state, "", state)]
        rows.append(("", cells))
    return _table(["goal", "measured", "bound", ""], rows) if rows else ""


def class_table(classes: Rows) -> str:
    """Before and after of each class."""
    rows = []
    for one in classes:
        before, after = one.get("before"), one.get("after")
        change = points(after - before) if known(before) and known(after) else UNKNOWN
        cells = [_cell(one.get("name", "?"), "class", "name"), _cell(_plain(one.get("labelled")), "labelled", "number")]
        cells += [_cell(percent(before), "before", "number"), _cell(percent(after), "after", "number")]
        rows.append(("", [*cells, _cell(change, "change, points", "number")]))
    return _table(["class", "labelled", "before", "after", "change, points"], rows)


def layer_table(layers: Rows) -> str:
    """What became of each layer."""
    heads = ["name", "operator", "before", "after"]
    rows = [
        ("", [_cell(one.get(head, "?"), head, "name" if head == "name" else "") for head in heads]) for one in layers
    ]
    return _table(["layer", *heads[1:]], rows)


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    head = "".join(f"<th>{safe(one)}</th>" for one in heads)
    body = "".join(f"<tr{kind}>{''.join(cells)}</tr>" for kind, cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(content: Any, label: str, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    named = f' data-label="{safe(label)}"' if label else ""
    return f"<td{shown}{named}>{safe(content)}</td>"


def _figures(lines: Sequence[str], label: str) -> str:
    """A figure, and under it in small letters what belongs to it."""
    small = "".join(f' <span class="range">{safe(line)}</span>' for line in lines[1:] if line)
    return f'<td class="number" data-label="{safe(label)}"><span>{safe(lines[0])}{small}</span></td>'


def _extra(one: Row) -> tuple[str, ...]:
    """Further measures of accuracy, a line each."""
    return tuple(f"{name} {number(value * 100)}" for name, value in (one.get("extra") or {}).items() if known(value))


def _about(one: Row) -> str:
    """Name, precision and what was decided, in the first cell; why only where it was not shipped."""
    shipped = bool(one.get("shipped"))
    reasons = "" if shipped or one.get("passed") else "; ".join(map(str, one.get("reasons") or ()))
    word = f"shipped in {one['folder']}" if shipped and one.get("folder") else "shipped" if shipped else "not shipped"
    if one.get("name") == "original" or one.get("passed"):
        word = "would do, another is better" if one.get("passed") else ""
    decided = ": ".join(part for part in (word, reasons) if part) or "the reference"
    kind = "more met" if shipped else "more"
    precision = f'<span class="more">{safe(one["precision"])}</span>' if one.get("precision") else ""
    return (
        f'<td class="name" data-label="variant">{safe(one.get("name", "?"))}{precision}'
        f'<span class="{kind}">{safe(decided)}</span></td>'
    )


def _filled(value: Any) -> bool:
    return any(known(part) for part in value.values()) if isinstance(value, Mapping) else known(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else f"{value}" if isinstance(value, int) else number(value)
