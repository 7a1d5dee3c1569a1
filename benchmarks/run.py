"""One topic from its start to its report."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import goals, machine
from benchmarks.topic import Context, Measure, Report

BUSY = 0.5
"""Load average above which somebody else is at work on the machine."""


def run_topic(name: str, measure: Measure, folder: Path, *, quick: bool, parts: Sequence[str] = ()) -> bool:
    """Measure a topic or parts of it, write ``<folder>/<name>.json`` and print the goals; whether every part ran."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {name}: {text}", flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    facts, report = machine.describe(), Report()
    say(f"{facts['cpu']}, {facts['cores']} cores, load {facts['load_before'][0]:g}")
    if facts["load_before"][0] > BUSY:
        say("the machine is busy with something else: the figures will be disturbed")
    measure(Context(quick, folder, say, parts=tuple(parts)), report)
    path = folder / f"{name}.json"
    content = _plain(as_json(name, facts, report, quick, time.monotonic() - began))
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
    print(f"\n{goals.table(report.goals)}")
    for failure in report.failures:
        print(f"NOT RUN  {failure}")
    print(f"all figures: {path}")
    if report.draw is not None:
        page = folder / "report.html"
        page.write_text(report.draw(content), encoding="utf-8")
        print(f"drawn: {page}")
    return not report.failures


def as_json(name: str, facts: dict[str, Any], report: Report, quick: bool, seconds: float) -> dict[str, Any]:
    """The content of a report file."""
    return {
        "topic": name,
        "quick": quick,
        "seconds": round(seconds, 1),
        "machine": facts,
        "results": report.results,
        "goals": [goal.as_json() for goal in report.goals],
        "failures": report.failures,
    }


def _plain(value: Any) -> Any:
    """The same with null for what is no number: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
