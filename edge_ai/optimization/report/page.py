"""What came of making a model smaller, as one page that needs nothing else: no network, no script.

The style sheet lies beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from edge_ai.optimization.report.figures import accuracy_figure, class_figures, key, sensitivity_figures, size_figure
from edge_ai.optimization.report.tables import class_table, goal_table, layer_table, variant_table
from edge_ai.optimization.report.words import UNKNOWN, known, number, percent, safe, scaled

Data = Mapping[str, Any]
_SHOWN = 30  # layers and classes drawn; the rest is in tables


def write_report(data: Data) -> str:
    """The page, an HTML document.

    Args:
        data: what report.json holds. Accuracies, losses and errors are shares of 1, sizes bytes, times milliseconds,
            energies millijoules. Any key may be missing or empty: its section is then left out. None and NaN are shown
            as not measured. The variant named "original" is what the others are compared with; where several would do,
            ``verdict.variant`` names the one that was chosen.
    """
    data = _settled(data)
    parts = [
        _head(data),
        _verdict(data),
        _tiles(data),
        _section("Variants", variant_table(_rows(data, "variants"), _metric(data))),
        _section("", _pictures(data)),
        _section("Goals", goal_table(_rows(data, "goals"))),
        _section("Class by class", _classes(data)),
        _section("Sensitivity of the layers", _sensitivity(data)),
        _section("Layers changed", _layers(_rows(data, "layers"))),
        _section("Notes", _list(data.get("notes") or ())),
        _section("How this was measured", _measured(data)),
    ]
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{safe(data.get('title') or 'Report')}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><style>{style}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _settled(data: Data) -> Data:
    """The data with those variants shipped that are: the one the verdict names, and those with a folder of their own.

    Others that would do have merely passed.
    """
    chosen = (data.get("verdict") or {}).get("variant")
    if not chosen:
        return data
    variants = [
        {**one, "shipped": False, "passed": True}
        if one.get("shipped") and one.get("name") != chosen and not one.get("folder")
        else one
        for one in _rows(data, "variants")
    ]
    return {**data, "variants": variants}


def _head(data: Data) -> str:
    pictures = (data.get("data") or {}).get("pictures")
    facts = [_moment(str(data.get("made") or "")), f"{pictures} pictures" if pictures else ""]
    under = " \u00b7 ".join(fact for fact in facts if fact)
    line = f'<p class="dim">{safe(under)}</p>' if under else ""
    return f"<header><h1>{safe(data.get('title') or 'Report')}</h1>{line}</header>"


def _verdict(data: Data) -> str:
    verdict = data.get("verdict")
    if not verdict:
        return ""
    shipped, made = bool(verdict.get("shipped")), _made(data)
    name = f": {safe(made['name'])}" if made and made.get("name") else ""
    word = "Shipped" if shipped else "Refused"
    lead = _lead(data, made) if made else ""
    if not shipped:
        lead += " Nothing was shipped: the original stays in use."
    lead = f"<p>{safe(lead.strip())}</p>" if lead else ""
    kind = "shipped" if shipped else "refused"
    return f'<section class="verdict {kind}"><h2>{word}{name}</h2>{lead}{_list(verdict.get("reasons") or ())}</section>'


def _lead(data: Data, made: Data) -> str:
    """What the variant is worth beside the original, in a sentence."""
    before, said = _original(data), []
    if before and known(before.get("size")) and known(made.get("size")) and made["size"] > 0:
        said.append(f"{number(before['size'] / made['size'])} times smaller")
    speedup = (made.get("speedup") or {}).get("value")
    if known(speedup):
        said.append(f"{number(speedup)} times as fast")
    loss = made.get("loss")
    if loss and known(loss.get("value")):
        word = "loses" if loss["value"] >= 0 else "gains"
        said.append(f"{word} {number(abs(round(loss['value'] * 100, 2)))} points of {_metric(data)}")
    return (
        f"{', '.join(said)}.".capitalize() if said and said[0][0].isalpha() else f"{', '.join(said)}." if said else ""
    )


def _tiles(data: Data) -> str:
    """The four figures a reader asks for first, before and after."""
    before, after = _original(data), _made(data)
    if before is None or after is None:
        return ""
    figures = [
        (f"Accuracy, {_metric(data)}", _value(before, "accuracy"), _value(after, "accuracy"), percent),
        ("Latency, median", _value(before, "latency_ms", "p50"), _value(after, "latency_ms", "p50"), _ms),
        ("Size", before.get("size"), after.get("size"), _bytes),
        ("Energy an image", before.get("energy_mj"), after.get("energy_mj"), _mj),
    ]
    tiles = [
        f'<div class="tile"><span class="dim">{safe(name)}</span>'
        f'<b>{safe(show(old))} <span class="arrow">\u2192</span> {safe(show(new))}</b></div>'
        for name, old, new, show in figures
        if known(old) or known(new)
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>' if tiles else ""


def _pictures(data: Data) -> str:
    variants = _rows(data, "variants")
    found = [accuracy_figure(variants, _metric(data)), size_figure(variants)]
    return f'<div class="plots">{"".join(found)}</div>' if any(found) else ""


def _classes(data: Data) -> str:
    classes = _rows(data, "classes")
    if not classes:
        return ""
    drawn = class_figures(classes, _metric(data), _SHOWN)
    return f"{drawn}<details><summary>All {len(classes)} as a table</summary>{class_table(classes)}</details>"


def _sensitivity(data: Data) -> str:
    layers = _rows(data, "sensitivity")
    if not layers:
        return ""
    kept = sum(bool(layer.get("kept")) for layer in layers)
    some = (
        f"the worst {_SHOWN} of {len(layers)} layers" if len(layers) > _SHOWN else f"{len(layers)} layers, worst first"
    )
    words = f"How far the outputs move when only this layer is quantised: {some}; {kept} kept as they were."
    keys = key("bar", "--blue", "changed") + " " + key("bar", "--amber", "kept")
    return f'<p class="dim">{words} {keys}</p>{sensitivity_figures(layers, _SHOWN)}'


def _layers(layers: Sequence[Data]) -> str:
    if not layers:
        return ""
    kinds: dict[str, int] = {}
    for layer in layers:
        kinds[str(layer.get("operator", "?"))] = kinds.get(str(layer.get("operator", "?")), 0) + 1
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda one: -one[1]))
    return f"<details><summary>{len(layers)}: {safe(counts)}</summary>{layer_table(layers)}</details>"


def _measured(data: Data) -> str:
    facts, entries = data.get("data") or {}, {}
    if "pictures" in facts:
        entries["pictures"] = f"{facts['pictures']} of {facts['source']}" if facts.get("source") else facts["pictures"]
    if "labels" in facts:
        entries["right is"] = facts["labels"] or "what the original model answers (there are no labels)"
    if "calibration" in facts:
        entries["calibrated on"] = f"{facts['calibration']} pictures"
    if (data.get("metric") or {}).get("agreement") and facts.get("labels"):
        entries["accuracy"] = "agreement with the original model"
    for name, value in (data.get("machine") or {}).items():
        entries[str(name)] = UNKNOWN if value is None else value
    rows = "".join(f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in entries.items())
    command = f"<pre>{safe(data['command'])}</pre>" if data.get("command") else ""
    return (f"<dl>{rows}</dl>" if rows else "") + _list(facts.get("notes") or ()) + command


def _metric(data: Data) -> str:
    metric = data.get("metric") or {}
    name = str(metric.get("name") or "accuracy")
    return f"{name} against the original" if metric.get("agreement") else name


def _original(data: Data) -> Data | None:
    return next((one for one in _rows(data, "variants") if one.get("name") == "original"), None)


def _made(data: Data) -> Data | None:
    """The variant the verdict is about: the one named, else the one shipped, else the only one beside the original."""
    named = (data.get("verdict") or {}).get("variant")
    others = [one for one in _rows(data, "variants") if one.get("name") != "original"]
    chosen = [one for one in others if (one.get("name") == named if named else one.get("shipped"))]
    return chosen[0] if chosen else others[0] if len(others) == 1 else None


def _rows(data: Data, name: str) -> Sequence[Data]:
    return data.get(name) or ()


def _value(row: Data, *names: str) -> Any:
    """A value within a value; an estimate's own where no further name is given."""
    inner = row.get(names[0]) or {}
    return inner.get(names[1] if len(names) > 1 else "value")


def _section(title: str, content: str) -> str:
    head = f"<h2>{safe(title)}</h2>" if title else ""
    return f"<section>{head}{content}</section>" if content else ""


def _list(lines: Sequence[Any]) -> str:
    return "<ul>" + "".join(f"<li>{safe(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _moment(text: str) -> str:
    """An ISO time as people write it; anything else as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()


def _ms(value: Any) -> str:
    return number(value, "ms")


def _mj(value: Any) -> str:
    return number(value, "mJ")


def _bytes(value: Any) -> str:
    return scaled(value, "B")
