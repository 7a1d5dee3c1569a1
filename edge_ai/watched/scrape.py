"""What Prometheus and a health check are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge_ai.capture.status import CaptureState, CaptureStatus
from edge_ai.core.clock import Clock
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.watched.watcher import Watcher


class Scrape(Watcher):
    """Keeps both up to date.

    Attributes:
        metrics: for Prometheus.
        health: whether the robot is ready.
    """

    def __init__(self, clock: Clock) -> None:
        self.metrics, self.health = Metrics(clock), Health(clock)

    def camera(self, status: CaptureStatus) -> None:
        self.health.node("camera", status.detail if status.state is CaptureState.FAILED else "")

    def sample(self, sample: Sample, alerts: Sequence[Alert]) -> None:
        self.health.update(sample)
        self.metrics.sample(sample)
        self.metrics.alerts(alerts)

    def mitigation(self, status: MitigationStatus) -> None:
        self.metrics.mitigation({"level": status.level, "changes": status.changes})

    def update(self, told: Mapping[str, Any]) -> None:
        self.metrics.model_update(told)

    def routing(self, report: Mapping[str, Any]) -> None:
        self.metrics.router(report)
