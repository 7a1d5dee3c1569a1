"""What the parts of a robot tell its monitor of themselves, whether they are nodes or share a process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edge_ai.control.command import Command, ControlState
from edge_ai.monitoring.performance import NodeStats
from edge_ai.monitoring.readings import Readings
from edge_ai.routing.report import readings as router_readings
from edge_ai.runtime.pipeline import PipelineCounts
from edge_ai.runtime.swap.status import SwapStatus


class PipelineTold:
    """Counts what became of the frames of a pipeline.

    Args:
        stats: of who has it.
    """

    def __init__(self, stats: NodeStats) -> None:
        self._stats = stats
        self._before = PipelineCounts()

    def tell(self, counts: PipelineCounts, missed: int = 0) -> None:
        """Take over the counts; ``missed`` frames were dropped before they came to it."""
        self._stats.total("dropped", counts.dropped + missed)
        self._stats.total("failed", counts.failed)
        self._stats.gauge("queue", counts.queue)
        before, self._before = self._before, counts
        batches, images = counts.batches - before.batches, _inferred(counts) - _inferred(before)
        self._stats.gauge("batch", images / batches if batches > 0 <= images else math.nan)


def _inferred(counts: PipelineCounts) -> int:
    return counts.processed + counts.failed + counts.overtaken


def tell_command(stats: NodeStats, command: Command | None) -> None:
    """Count what a controller has done so far."""
    if command is not None:
        stats.total("commands", command.commands)
        stats.total("refused", command.refused)
        stats.gauge("stopped", command.state is ControlState.EMERGENCY_STOP)


def tell_routing(stats: NodeStats, report: Mapping[str, Any]) -> None:
    """Take over what a router tells of itself, by the fields of msg/RouterStatus.msg."""
    for name, value in (router_readings(report) if report else {}).items():
        stats.gauge(name, value)


def update_fields(status: SwapStatus) -> dict[str, Any]:
    """How an update of the model stands, by the fields of msg/ModelUpdate.msg."""
    return {
        "state": status.state.value,
        "active": status.active,
        "candidate": status.candidate,
        "checks": [str(check) for check in status.checks],
        "passed": [check.passed for check in status.checks],
        "progress": status.progress,
        "message": status.message,
        "switches": status.switches,
        "rollbacks": status.rollbacks,
    }


def part(stats: NodeStats) -> Readings:
    """Readings of one of several parts of a process, without those of the process."""
    return {name: value for name, value in stats.readings().items() if name not in ("memory", "cpu")}
