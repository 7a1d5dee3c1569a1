"""A topic made of parts: each as far as it gets."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.goals import Goal
from benchmarks.topic import Context, MeasurementError, Report
from edge_ai.core.errors import EdgeAIError


def measure_parts(package: str, parts: Sequence[str], context: Context, report: Report) -> None:
    """Fill in a topic's report.

    Args:
        package: of the topic.
        parts: its modules, each with its ``GOALS`` and ``measure(context, report)``, which gives their values.
        context: how to measure, and which parts.
        report: a part that fails leaves its goals in, unmeasured.
    """
    for name in context.parts or parts:
        if name not in parts:
            report.failures.append(f"{name}: there is no such part")
            continue
        part = importlib.import_module(f"{package}.{name}")
        goals: Mapping[str, Goal] = part.GOALS
        values: Mapping[str, float] = {}
        try:
            values = part.measure(context, report)
        except (EdgeAIError, MeasurementError) as error:
            context.say(f"{name} failed: {error}")
            report.failures.append(f"{name}: {error}")
        report.goals += [replace(goal, value=values.get(key)) for key, goal in goals.items()]
