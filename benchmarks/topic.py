"""What a topic is given and what it hands back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.goals import Goal

ROOT = Path(__file__).resolve().parents[1]


class MeasurementError(Exception):
    """A side did not run; says which and why."""


@dataclass
class Report:
    """What a topic has found so far; it is written even if a later part fails.

    Attributes:
        results: all figures by name, with what was run.
        goals: figures with a bound.
        failures: parts that did not run, and why.
        draw: makes an HTML page of a report file's content; None: there is none.
    """

    results: dict[str, Any] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    draw: Callable[[dict[str, Any]], str] | None = None


@dataclass(frozen=True)
class Context:
    """How to measure.

    Attributes:
        quick: a short run.
        folder: for logs.
        say: takes one line of progress.
        clock: seconds that only grow.
        began: its value when the topic began.
        limits: seconds that the whole topic may take, quick and full.
        parts: names of the only parts to measure, empty for all; for topics that have parts.
    """

    quick: bool
    folder: Path
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    began: float = field(default_factory=time.monotonic)
    limits: tuple[float, float] = (180.0, 1200.0)
    parts: tuple[str, ...] = ()

    @property
    def limit(self) -> float:
        """Seconds that the whole topic may take."""
        return self.pick(*self.limits)

    def before(self, part: float) -> bool:
        """Whether less than this part (0 to 1) of the limit has passed: time for one more round."""
        return self.clock() - self.began < part * self.limit

    def pick(self, quick: float, full: float) -> float:
        """The one of two values that fits the kind of run."""
        return quick if self.quick else full


Measure = Callable[[Context, Report], None]
"""Fills in a report. A part that fails adds to ``failures`` and leaves its goals in, unmeasured."""
