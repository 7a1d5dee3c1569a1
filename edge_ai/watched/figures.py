"""How the robot's parts fare, for the monitor of the same process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edge_ai.capture.status import CaptureStatus
from edge_ai.control.command import Command
from edge_ai.core.clock import NS, Clock
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.performance import NodeStats
from edge_ai.monitoring.readings import Readings
from edge_ai.runtime.edge_side import EdgeSide
from edge_ai.runtime.pipeline import PipelineCounts
from edge_ai.runtime.told import PipelineTold, part, tell_command, tell_routing
from edge_ai.watched.watcher import Watcher


class Figures(Watcher):
    """Counts from any thread; asked once a second.

    Args:
        clock: ages are measured on its steady side.
        variants: how many lighter models there are.
        routed: whether there is a router.
    """

    def __init__(self, clock: Clock, variants: int = 0, *, routed: bool = False) -> None:
        self._clock = clock
        self._camera = NodeStats(clock, rates=("rate", "dropped"))
        rates = ("rate", "dropped", "failed")
        self._answers = NodeStats(clock, rates=rates)
        self._here = NodeStats(clock, rates=rates, traced=False) if routed else self._answers
        self._here.gauge("variants", variants)
        self._control = NodeStats(clock, rates=("commands", "refused"))
        self._frames = PipelineTold(self._answers)

    def frame(self, frame: Frame) -> None:
        self._camera.count("rate")

    def result(self, result: Result, frame: Frame) -> None:
        age = (self._clock.steady_ns() - result.header.steady_ns) / NS
        self._answers.add(result.timings, age)
        if self._here is not self._answers and result.source == EdgeSide.name:
            self._here.add(result.timings, age)

    def command(self, command: Command) -> None:
        tell_command(self._control, command)
        self._control.gauge("age_p50", math.nan if command.age_s is None else command.age_s)

    def readings(
        self, capture: CaptureStatus, counts: PipelineCounts, report: Mapping[str, Any] | None = None
    ) -> dict[str, Readings]:
        """What came since the last call, by node.

        Args:
            capture: the camera's state.
            counts: what became of the frames.
            report: what a router reports of itself; None: there is none.
        """
        self._camera.total("dropped", capture.dropped)
        self._frames.tell(counts)
        # Memory and processor are those of the process, the same for all parts: told once.
        told = {"camera": part(self._camera), "control": part(self._control), "inference": self._here.readings()}
        if report is not None:
            tell_routing(self._answers, report)
            told["router"] = part(self._answers)
        return told
