"""The topic: each part as far as it gets."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.goals import Goal
from benchmarks.topic import Context, MeasurementError, Report
from edge_ai.core.errors import EdgeAIError

PARTS = (
    "monitor",
    "always_on",
    "sampling",
    "dashboard",
    "variants",
    "closed_loop",
    "whole",
)
"""Modules of this folder, each with its ``GOALS`` and ``measure(context, report)``, which gives their values."""


def measure(context: Context, report: Report) -> None:
    """Fill in the report of topic `watch`."""
    for name in context.parts or PARTS:
        if name not in PARTS:
            report.failures.append(f"{name}: there is no such part")
            continue
        part = importlib.import_module(f"benchmarks.watch.{name}")
        goals: Mapping[str, Goal] = part.GOALS
        values: Mapping[str, float] = {}
        try:
            values = part.measure(context, report)
        except (EdgeAIError, MeasurementError) as error:
            context.say(f"{name} failed: {error}")
            report.failures.append(f"{name}: {error}")
        report.goals += [replace(goal, value=values.get(key)) for key, goal in goals.items()]
