"""What the page shows, taken from topics: those that come once a second, the others only while somebody looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message

from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard import sections
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.monitoring.health import Health
from edge_ai.msg import (
    Alert,
    ControlStatus,
    InferenceResult,
    MitigationStatus,
    ModelUpdate,
    RecorderStatus,
    RouterStatus,
    SystemStatus,
)
from edge_ai.nodes import convert
from edge_ai.nodes.convert_watch import (
    alert_from_msg,
    command_from_msg,
    fields_of,
    mitigation_from_msg,
    sample_from_msg,
)
from edge_ai.nodes.mailbox import Mailbox
from edge_ai.nodes.qos import ALERTS, LATCHED, NEWEST
from edge_ai.nodes.viewed_board import ViewedBoard
from edge_ai.nodes.watched_pictures import WatchedPictures

log = logging.getLogger(__name__)

_CALM, _WATCHED = 0.5, 0.05  # s between two looks
_DIAGNOSTICS = 5.0  # s between two looks at what everybody says of themselves


class DashboardTopics:
    """Fills a board on a thread of its own.

    Args:
        node: subscribes.
        board: is filled.
        feed: draws pictures.
        health: is told of the nodes.
    """

    def __init__(self, node: Any, board: ViewedBoard, feed: PictureFeed, health: Health) -> None:
        self._node, self._board, self._feed, self._health = node, board, feed, health
        self._boxes: list[tuple[Mailbox, Callable[[Any], None]]] = [
            (Mailbox(node, SystemStatus, "monitor/status", NEWEST), self._on_system),
            (Mailbox(node, MitigationStatus, "monitor/mitigation", NEWEST), self._on_mitigation),
            (Mailbox(node, RouterStatus, "router/status", NEWEST), self._on_router),
            (Mailbox(node, RecorderStatus, "recorder/status", NEWEST), self._on_recorder),
            (Mailbox(node, ModelUpdate, "inference/model_update", LATCHED), self._on_update),
        ]
        # These come with every frame.
        self._hot: list[tuple[Mailbox, Callable[[Any], None]]] = []
        self._alerts = Mailbox(node, Alert, "monitor/alerts", ALERTS)
        self._diagnostics = Mailbox(node, DiagnosticArray, "/diagnostics", QoSProfile(depth=50), raw=True)
        self._diagnostics_at = time.monotonic() + 1.5
        self._inside = f"{node.get_namespace().strip('/')}/".lstrip("/")
        self._alert_log = sections.AlertLog()
        self._deployment: dict[str, str] = {}
        self._pictures: WatchedPictures | None = None
        self._calm_at = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._end.set()
        self._thread.join()
        for box in (self._alerts, self._diagnostics, *(box for box, _ in self._boxes)):
            box.close()
        self._view(False)
        self._watch(False)

    def _run(self) -> None:
        while not self._end.wait(_WATCHED if self._pictures is not None else _CALM):
            try:
                self._view(self._board.viewed)
                self._watch(self._feed.watched)
                if self._pictures is not None:
                    self._pictures.poll()
                if time.monotonic() >= self._calm_at:
                    self._calm_at = time.monotonic() + _CALM
                    self._poll()
            except Exception:
                log.exception("filling the dashboard failed")

    def _view(self, viewed: bool) -> None:
        if viewed and not self._hot:
            self._hot = [
                (Mailbox(self._node, ControlStatus, "control/status", NEWEST), self._on_control),
                (Mailbox(self._node, InferenceResult, "inference/results", NEWEST), self._on_result),
            ]
        elif not viewed and self._hot:
            for box, _ in self._hot:
                box.close()
            self._hot = []

    def _watch(self, watched: bool) -> None:
        if watched and self._pictures is None:
            self._pictures = WatchedPictures(self._node, self._feed)
        elif not watched and self._pictures is not None:
            self._pictures.close()
            self._pictures = None

    def _poll(self) -> None:
        for message, _ in self._alerts.all():
            self._alert_log.event(alert_from_msg(message), self._node.clock.stamp_ns())
        for box, show in (*self._boxes, *self._hot):
            if (message := box.newest()) is not None:
                show(message)
        if time.monotonic() >= self._diagnostics_at:
            self._diagnostics_at = time.monotonic() + _DIAGNOSTICS
            for data, _ in self._diagnostics.all():
                for status in deserialize_message(data, DiagnosticArray).status:
                    self._on_diagnostic(status)

    def _on_system(self, message: SystemStatus) -> None:
        sample = sample_from_msg(message, self._node.clock)
        self._health.update(sample)
        system = sections.system(sample)
        self._board.put("system", {**system, "fps_target": message.fps_target})
        self._board.put("nodes", sections.nodes(sample))
        active = [alert_from_msg(one) for one in message.alerts]
        self._board.put("alerts", self._alert_log.section(active))
        self._node.introduce(message.board)

    def _on_mitigation(self, message: MitigationStatus) -> None:
        self._board.put("mitigation", sections.mitigation(mitigation_from_msg(message)))

    def _on_router(self, message: RouterStatus) -> None:
        self._board.put("routing", fields_of(message))

    def _on_recorder(self, message: RecorderStatus) -> None:
        self._board.put("recorder", fields_of(message))

    def _on_update(self, message: ModelUpdate) -> None:
        self._board.put("update", fields_of(message))

    def _on_control(self, message: ControlStatus) -> None:
        command = command_from_msg(message)
        self._feed.command(command)
        self._board.put("control", sections.control(command))

    def _on_result(self, message: InferenceResult) -> None:
        try:
            self._board.put("result", sections.result(convert.result_from_msg(message, self._node.clock)))
        except EdgeAIError as error:
            log.warning("a result that cannot be shown: %s", error)
        self._deploy(model=message.model_name, version=message.model_version)

    def _on_diagnostic(self, status: DiagnosticStatus) -> None:
        """The engine is known from who runs it, and who is dead from the lifecycle manager.

        All robots speak on that one topic.
        """
        if not status.name.startswith(self._inside):
            return
        values = {pair.key: pair.value for pair in status.values}
        if "engine" in values and status.name.rpartition("/")[2] in ("inference", "pipeline"):
            state = "active" if status.level == DiagnosticStatus.OK else status.message
            self._deploy(engine=values["engine"], variant=values.get("model", ""), state=state)
        if "recoveries" in values and ": " in status.name:
            bad = status.level == DiagnosticStatus.ERROR
            self._health.node(status.name.rpartition(": ")[2], status.message if bad else "")

    def _deploy(self, **fields: str) -> None:
        if not fields.items() <= self._deployment.items():
            self._deployment |= fields
            self._board.put("deployment", dict(self._deployment))
