"""What happens in this process, as the dashboard shows it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import edge_ai
from edge_ai.control.command import Command
from edge_ai.core.clock import NS, Clock
from edge_ai.core.types import Frame, Result
from edge_ai.dashboard import sections
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.dashboard.state import Board
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.processing.card import ModelCard
from edge_ai.recording.state import RecorderState
from edge_ai.watched.watcher import Watcher

_PERIOD_NS = NS // 10  # of what comes with every frame


class Page(Watcher):
    """The board filled and served; costs next to nothing while nobody looks.

    Args:
        params: where it is served, and to whom.
        clock: ages.
        metrics: for Prometheus.
        health: whether the robot is ready.
    """

    def __init__(self, params: DashboardParams, clock: Clock, metrics: Metrics, health: Health) -> None:
        self._clock = clock
        self.board = Board(clock, params.history)
        self._feed = PictureFeed(params, clock)
        self.board.picture(self._feed.jpeg)
        self._server = DashboardServer(params, self.board, metrics=metrics, health=health)
        self._alerts = sections.AlertLog()
        self._due = {"result": 0, "control": 0}

    def start(self) -> None:
        """Serve it.

        Raises:
            EdgeAIError: the address cannot be had, a token is wanted, or a library is missing.
        """
        self._server.start()

    def stop(self) -> None:
        """Send everybody home."""
        self._server.stop()

    @property
    def url(self) -> str:
        """Where it is."""
        return self._server.url

    def buttons(self, stop: Callable[[], str], reset: Callable[[], str], record: Callable[[], str] | None) -> None:
        """What the buttons do; each says what it did."""
        self.board.on_stop, self.board.on_reset, self.board.on_record = stop, reset, record

    def _identify(self, board: str) -> None:
        name, version = socket.gethostname(), edge_ai.__version__
        self.board.put("identity", {"name": name, "board": board, "version": version, "mode": "without ROS"})

    def deployment(self, card: ModelCard, engine: str, variant: str, note: str) -> None:
        """What answers, and what is to be known of it; ``variant``: its number among the lighter ones, or empty."""
        model = {"model": card.name, "version": card.version, "engine": engine}
        self.board.put("deployment", {**model, "variant": variant, "state": note or "active"})

    def result(self, result: Result, frame: Frame) -> None:
        self._feed.offer(result, frame)
        if self._is_due("result"):
            self.board.put("result", sections.result(result))

    def command(self, command: Command) -> None:
        self._feed.command(command)
        if self._is_due("control"):
            self.board.put("control", sections.control(command))

    def sample(self, sample: Sample, alerts: Sequence[Alert]) -> None:
        self.board.put("system", sections.system(sample))
        self._identify(sample.texts.get("board", ""))
        self.board.put("nodes", sections.nodes(sample))
        self.board.put("alerts", self._alerts.section(alerts))

    def alert(self, alert: Alert) -> None:
        self._alerts.event(alert, self._clock.stamp_ns())

    def update(self, told: Mapping[str, Any]) -> None:
        self.board.put("update", told)

    def routing(self, report: Mapping[str, Any]) -> None:
        self.board.put("routing", report)

    def mitigation(self, status: MitigationStatus) -> None:
        self.board.put("mitigation", sections.mitigation(status))

    def recorder(self, state: RecorderState) -> None:
        """What the flight recorder holds."""
        self.board.put("recorder", asdict(state))

    def _is_due(self, section: str) -> bool:
        """Not with every frame: the page asks a few times a second."""
        now = self._clock.steady_ns()
        if now < self._due[section]:
            return False
        self._due[section] = now + _PERIOD_NS
        return True
