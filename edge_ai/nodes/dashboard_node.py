"""dashboard_node: the page, and its buttons as services."""

from __future__ import annotations

import socket
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from std_srvs.srv import Trigger

import edge_ai
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.server import DashboardServer
from edge_ai.monitoring.health import Health
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.caller import Caller, ServiceError
from edge_ai.nodes.dashboard_topics import DashboardTopics
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.runner import run
from edge_ai.nodes.viewed_board import ViewedBoard

_STOP, _RESET, _RECORD = "control/emergency_stop", "control/reset", "recorder/record"
PATIENCE = 3.0  # s for a button
STOP_PATIENCE = 1.5
"""Seconds for the stop: the page is told why it failed before it asks again."""


class DashboardNode(ManagedNode):
    """Shows what the other nodes publish; commands the robot through their services only."""

    def __init__(self) -> None:
        super().__init__("dashboard", {"": DashboardParams}, rates=())
        self._board: ViewedBoard | None = None
        self._topics: DashboardTopics | None = None
        self._server: DashboardServer | None = None
        self._caller: Caller | None = None
        self._machine = ""

    def activate(self) -> None:
        params = self.params[""]
        self._caller = Caller(self)
        self._caller.know(Trigger, _STOP, _RESET, _RECORD)
        self._board = board = ViewedBoard(self.clock, params.history)
        board.on_stop = lambda: self._press(_STOP, STOP_PATIENCE)
        board.on_reset = lambda: self._press(_RESET)
        board.on_record = lambda: self._press(_RECORD)
        self._machine = ""
        self.introduce("-")
        feed, health = PictureFeed(params, self.clock), Health(self.clock)
        board.picture(feed.jpeg)
        self._server = DashboardServer(params, board, health=health)
        self._server.start()
        self._topics = DashboardTopics(self, board, feed, health)
        self.get_logger().info(f"dashboard at {self._server.url}")

    def deactivate(self) -> None:
        if self._server is not None:
            self._server.stop()
        if self._topics is not None:
            self._topics.close()
        if self._caller is not None:
            self._caller.close()
        self._server = self._topics = self._caller = self._board = None

    def cleanup(self) -> None:
        self.deactivate()

    def diagnose(self) -> Diagnosis:
        assert self._server is not None
        return DiagnosticStatus.OK, f"at {self._server.url}", {}

    def introduce(self, machine: str) -> None:
        """Say who this robot is; ``machine`` is the name of its board."""
        if self._board is not None and machine != self._machine:
            self._machine = machine
            name = self.get_namespace().strip("/") or socket.gethostname()
            mode = "ROS 2"
            identity: dict[str, Any] = {"name": name, "board": machine, "version": edge_ai.__version__, "mode": mode}
            self._board.put("identity", identity)

    def _press(self, service: str, patience: float = PATIENCE) -> str:
        """A button, on a thread of the server.

        Raises:
            ServiceError: nobody answered, or it was refused.
        """
        assert self._caller is not None
        answer = self._caller.call(Trigger, service, Trigger.Request(), time.monotonic() + patience)
        if not answer.success:
            raise ServiceError(f"service {service}", got=answer.message)
        return str(answer.message)


def main() -> int:
    """Run the node; returns the exit status."""
    return run(DashboardNode)
