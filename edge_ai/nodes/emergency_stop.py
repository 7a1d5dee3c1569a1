"""The emergency stop and its reset as services; the stop outlives lifecycle transitions, and the process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from edge_ai.control.kept_stop import KeptStop
from edge_ai.nodes.deferred_service import DeferredService

Send = Callable[[Trigger.Response], None]

_LOOK = 0.05  # s between two looks for a stop that another node was asked for
_BEFORE = "the emergency stop of before the restart still holds; call control/reset to go on"
_OTHER = "the robot's other side was asked for an emergency stop; call control/reset to go on"


class EmergencyStop:
    """control/emergency_stop and control/reset, offered for as long as the node lives.

    Two sides of a robot offer them under one name, and a call reaches those that its client has found by then, perhaps
    one: a stop that either was asked for holds for both, through the file in which it is kept. A reset that does not
    reach both leaves the other one stopped.

    Args:
        node: offers the services.
        stop: stops the robot now and until reset; given the reason. From another thread than the executor's.
        reset: lets it move again; likewise.
    """

    def __init__(self, node: Node, stop: Callable[[str], None], reset: Callable[[], None]) -> None:
        self._stop, self._reset = stop, reset
        self._turn = threading.Lock()
        self._log = node.get_logger()
        # Several robots may be on one machine, in simulation or in tests, each with a ROS domain of its own.
        self._kept = KeptStop.of(f"{node.context.get_domain_id()}{node.resolve_service_name('control/emergency_stop')}")
        self._reason = _BEFORE if self._kept.stopped else ""
        if self._reason:
            self._log.error(self._reason)
        # Not on the executor: it may be busy for seconds, such as with parameters, a profile or a transition.
        self._offers = [
            DeferredService(node, Trigger, "control/emergency_stop", self._on_stop),
            DeferredService(node, Trigger, "control/reset", self._on_reset),
        ]
        self._end = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="emergency stop", daemon=True)
        self._follower.start()

    def apply(self) -> None:
        """Stop a controller made after the stop was asked for."""
        with self._turn:
            if self._reason:
                self._stop(self._reason)

    def close(self) -> None:
        """Take the services down."""
        self._end.set()
        self._follower.join()
        for offer in self._offers:
            offer.stop()
            offer.close()

    def _follow(self) -> None:
        while not self._end.wait(_LOOK):
            with self._turn:
                if not self._reason and self._kept.stopped:
                    self._reason = _OTHER
                    self._stop(self._reason)
                    self._log.error(self._reason)

    def _on_stop(self, _request: Any, send: Send) -> None:
        with self._turn:
            self._reason = "service control/emergency_stop was called; call control/reset to go on"
            self._stop(self._reason)
            self._log.error("emergency stop")
            self._kept.keep(stopped=True)
        send(Trigger.Response(success=True, message="stopped until control/reset is called"))

    def _on_reset(self, _request: Any, send: Send) -> None:
        with self._turn:
            message = "reset: moves again with the next fresh result" if self._reason else "was not stopped"
            self._reason = ""
            self._kept.keep(stopped=False)
            self._log.warning(message)
            self._reset()
        send(Trigger.Response(success=True, message=message))
