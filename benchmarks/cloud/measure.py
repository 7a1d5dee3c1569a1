"""The topic: each part as far as it gets."""

from __future__ import annotations

from benchmarks.parts import measure_parts
from benchmarks.topic import Context, Report

PARTS = ("decision", "regret", "local_path", "failover")
"""Modules of this folder, each with its ``GOALS`` and ``measure(context, report)``, which gives their values."""


def measure(context: Context, report: Report) -> None:
    """Fill in the report of topic `cloud`."""
    measure_parts("benchmarks.cloud", PARTS, context, report)
