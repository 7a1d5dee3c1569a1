"""The topic: each part as far as it gets."""

from __future__ import annotations

from benchmarks.parts import measure_parts
from benchmarks.topic import Context, Report

PARTS = (
    "switching",
    "swap",
    "hand_over",
    "rollback",
    "judge",
)
"""Modules of this folder, each with its ``GOALS`` and ``measure(context, report)``, which gives their values."""


def measure(context: Context, report: Report) -> None:
    """Fill in the report of topic `deploy`."""
    measure_parts("benchmarks.deploy", PARTS, context, report)
