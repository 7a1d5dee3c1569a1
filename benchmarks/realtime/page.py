"""The report as one page that needs nothing else: ``python -m benchmarks.realtime.page out/bench/realtime.json``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.realtime.chart import bar_chart

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --dim: #5b6470; --line: #d5dae0;
  --bar0: #2f6fb0; --bar1: #9fc1e4; --bar2: #6a8f4f; --bar3: #c9a227;
  --goal: #b4530a; --met: #1a7f37; --missed: #c62828; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --ink: #e6e9ed; --dim: #9aa4b0; --line: #333a43;
  --bar0: #5b9bd9; --bar1: #2f5478; --bar2: #86b168; --bar3: #d9b84a;
  --goal: #f0a35a; --met: #5ac878; --missed: #ff7b72; } }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 1000px; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
p, dl, figcaption { color: var(--dim); } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { color: var(--ink); } dd { margin: 0; overflow-wrap: anywhere; } figure { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem;
  text-align: left; vertical-align: top; } td.number { white-space: nowrap; }
.met { color: var(--met); fill: var(--met); } .missed { color: var(--missed); fill: var(--missed); }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg text.label { text-anchor: end; dominant-baseline: central; } svg text.value { dominant-baseline: central; }
svg text.met { fill: var(--met); } svg text.missed { fill: var(--missed); }
svg text.tick { fill: var(--dim); text-anchor: middle; } .grid { stroke: var(--line); }
.bar0 { fill: var(--bar0); } .bar1 { fill: var(--bar1); } .bar2 { fill: var(--bar2); } .bar3 { fill: var(--bar3); }
.goal { stroke: var(--goal); stroke-width: 2.5; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 .9em; }
"""


def draw(content: Mapping[str, Any]) -> str:
    """The page of a report file's content, an HTML document."""
    charts = content["results"].get("charts", [])
    kind = "a short run, whose figures are rough" if content["quick"] else "a full run"
    parts = [
        f"<h1>edge_ai: topic {escape(content['topic'])}</h1>",
        f"<p>{kind}, {content['seconds']:.0f} s. Sides work in turns; figures are medians over the calm rounds.</p>",
        "<h2>Goals</h2>",
        _goals(content["goals"], content["failures"]),
        "<h2>Figures</h2>",
        "<p>Bars are medians over the rounds, marks what follows for them from the goals; the table takes ratios "
        "within each round, so the two may differ a little.</p>",
        *map(_figure, charts),
        "<h2>What was run</h2>",
        *_sides(content["results"]),
        "<h2>Machine</h2>",
        _machine(content["machine"]),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>edge_ai benchmarks</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _goals(goals: Sequence[Mapping[str, Any]], failures: Sequence[str]) -> str:
    rows = []
    for goal in goals:
        state = "met" if goal["met"] else "missed"
        bound = f"{'≥' if goal['better'] == 'higher' else '≤'} {_number(goal['bound'])}"
        rows.append(
            f'<tr><td class="{state}">{state}</td><td>{escape(goal["name"])}</td>'
            f'<td class="number">{_number(goal["value"])}</td><td class="number">{bound}</td></tr>'
        )
    head = "<tr><th></th><th>goal</th><th>measured</th><th>bound</th></tr>"
    met = sum(goal["met"] for goal in goals)
    absent = "".join(f'<p class="missed">Not run: {escape(failure)}</p>' for failure in failures)
    return f"<table>{head}{''.join(rows)}</table><p>{met} of {len(goals)} goals met.</p>{absent}"


def _figure(chart: Mapping[str, Any]) -> str:
    keys = "".join(
        f'<span class="key" style="background: var(--bar{i})"></span>{escape(name)}'
        for i, name in enumerate(chart.get("legend", ()))
    )
    if any("goal" in row or "goals" in row for row in chart["rows"]):
        keys += '<span class="key" style="background: var(--goal); width: .2em"></span>goal'
    caption = f"<figcaption>{keys}</figcaption>" if keys else ""
    return f"<h3>{escape(chart['title'])}</h3><figure>{caption}{bar_chart(chart)}</figure>"


def _sides(results: Mapping[str, Any]) -> list[str]:
    """A list for each part that says what its sides are."""
    lists = []
    for part, found in results.items():
        sides = found.get("sides", {}) if isinstance(found, Mapping) else {}
        what = {name: side["what"] for name, side in sides.items() if isinstance(side, Mapping) and "what" in side}
        if len(set(what.values())) > 1:
            lists.append(f"<h3>{escape(part)}</h3>{_list(what)}")
    return lists


def _machine(facts: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    load = ", ".join(f"{one:g}" for one in facts["load_before"])
    shown = {
        "processor": f"{facts['cpu']}, {facts['cores']} cores, {facts['architecture']}",
        "memory": f"{facts['memory_gib']:g} GiB",
        "system": f"{facts['kernel']}, Python {facts['python']}",
        "libraries": libraries,
        "load before": load,
    }
    return _list(shown)


def _list(entries: Mapping[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in entries.items()) + "</dl>"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


if __name__ == "__main__":
    print(draw(json.loads(Path(sys.argv[1]).read_text())))
