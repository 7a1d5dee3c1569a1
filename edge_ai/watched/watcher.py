"""The contract of whoever is told what happens in the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge_ai.capture.status import CaptureStatus
from edge_ai.control.command import Command
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample


class Watcher:
    """Told from the thread on which it happened; whoever needs time for it takes it elsewhere.

    A subclass writes what it cares about.
    """

    def frame(self, frame: Frame) -> None:
        """A frame was captured."""

    def result(self, result: Result, frame: Frame) -> None:
        """It was answered."""

    def command(self, command: Command) -> None:
        """The wheels were told."""

    def camera(self, status: CaptureStatus) -> None:
        """The camera's state changed."""

    def sample(self, sample: Sample, alerts: Sequence[Alert]) -> None:
        """The monitor looked; ``alerts`` are those active."""

    def alert(self, alert: Alert) -> None:
        """An alert was raised or is over."""

    def mitigation(self, status: MitigationStatus) -> None:
        """The ladder's state, once a period."""

    def update(self, told: Mapping[str, Any]) -> None:
        """How an update of the model stands has changed; by the fields of msg/ModelUpdate.msg."""

    def routing(self, report: Mapping[str, Any]) -> None:
        """The router's report, once a period, where there is one."""
