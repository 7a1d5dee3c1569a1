"""The topic: the sweep for the limit, then what is held against it, each part as far as it gets."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.goals import Goal
from benchmarks.realtime import page
from benchmarks.realtime.bench import Bench
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from benchmarks.video import find_video

PARTS = ("limit", "composed", "separate", "peers", "cameras", "batching", "settings", "images")
"""Modules of this folder, each with its ``GOALS`` and ``measure(bench)``; others run only where asked for by name."""
LIMITS = (300.0, 1500.0)


def measure(context: Context, report: Report) -> None:
    """Fill in the report of topic `realtime`."""
    context = replace(context, limits=LIMITS)
    log = context.folder / "realtime.log"
    log.write_bytes(b"")
    bench = Bench(context, report, find_video(context.say), log)
    report.results["video"] = bench.video.removeprefix(f"{ROOT}/")
    report.results["charts"] = bench.charts
    report.draw = page.draw
    for name in context.parts or PARTS:
        try:
            goals, values = _part(bench, name)
        except MeasurementError as error:
            context.say(f"{name} failed: {error}")
            report.failures.append(f"{name}: {error}")
            continue
        report.goals += finished(name, goals, values, bench.bounds)


def finished(
    part: str, goals: Mapping[str, Goal], values: Mapping[str, float], bounds: Mapping[str, float]
) -> list[Goal]:
    """A part's goals with their values, and with their bounds where these follow from other figures."""
    return [
        replace(goal, value=values.get(key), bound=bounds.get(f"{part}.{key}", goal.bound))
        for key, goal in goals.items()
    ]


def _part(bench: Bench, name: str) -> tuple[Mapping[str, Goal], Mapping[str, float]]:
    """The goals of a part and what was measured; a part that fails midway leaves its goals unmeasured.

    Raises:
        MeasurementError: there is no such part here.
    """
    module = f"benchmarks.realtime.{name}"
    try:
        part = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MeasurementError("there is no such part") from None
    try:
        return part.GOALS, part.measure(bench)
    except MeasurementError as error:
        bench.context.say(f"{name} failed: {error}")
        bench.report.failures.append(f"{name}: {error}")
        return part.GOALS, {}
