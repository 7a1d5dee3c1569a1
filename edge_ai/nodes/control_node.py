"""control_node: detections in, velocities out; anything stale, missing or malformed stops the robot."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.control.controller import Command, Controller, ControlState
from edge_ai.control.params import ControlParams
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import InferenceResult
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.command_topics import CommandPublisher
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.emergency_stop import EmergencyStop
from edge_ai.nodes.qos import NEWEST
from edge_ai.nodes.reader import Inbox, Reader
from edge_ai.nodes.runner import run
from edge_ai.runtime.control_loop import ControlLoop
from edge_ai.runtime.told import tell_command


class ControlNode(ManagedNode):
    """Follows a person, stops for obstacles, and publishes zero whenever it is not sure."""

    def __init__(self) -> None:
        super().__init__("control", {"": ControlParams}, rates=("commands", "refused"))
        self._controller: Controller | None = None
        self._loop: ControlLoop | None = None
        self._publisher: CommandPublisher | None = None
        self._results: Reader | None = None
        self._last: Command | None = None
        self._stop = EmergencyStop(self, self._emergency_stop, self._reset)

    def configure(self) -> None:
        params = self.params[""]
        self._controller = Controller(params, self.clock)
        self._stop.apply()
        self._publisher = CommandPublisher(self, params)

    def activate(self) -> None:
        assert self._controller is not None
        assert self._publisher is not None
        self._publisher.begin()
        self._controller.activate()
        self._loop = ControlLoop(self._controller, self._send, self.params[""].rate)
        self._loop.start()
        inbox = self.inbox(InferenceResult, "inference/results", NEWEST)
        self._results = Reader(self, [inbox], self._on_result, "results")

    def deactivate(self) -> None:
        if self._results is not None:
            (inbox,) = self._results.stop()
            self.destroy_subscription(inbox.subscription)
            self._results = None
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        if self._controller is not None and self._publisher is not None:
            self._send(self._controller.deactivate())
            self._publisher.end()

    def cleanup(self) -> None:
        self.deactivate()
        if self._publisher is not None:
            self._publisher.destroy()
        self._controller = self._publisher = None

    def params_changed(self) -> None:
        if self._controller is not None:
            self._controller.update(self.params[""])

    def diagnose(self) -> Diagnosis:
        command = self._last
        if command is None:
            return DiagnosticStatus.WARN, "no command yet", {}
        values = {"state": command.state.name, "commands": command.commands, "refused results": command.refused}
        bad = command.state in (ControlState.STALE, ControlState.MALFORMED, ControlState.EMERGENCY_STOP)
        return (DiagnosticStatus.ERROR if bad else DiagnosticStatus.OK), command.reason, values

    def measure(self) -> Mapping[str, Readings]:
        tell_command(self.stats, self._last)
        return {}

    def _on_result(self, inbox: Inbox) -> None:
        message = inbox.take()
        if message is not None and self._loop is not None:
            self._loop.offer(convert.result_from_msg(message, self.clock))

    def _send(self, command: Command) -> None:
        before, self._last = self._last, command
        if before is None or before.state != command.state:
            moving = command.state is ControlState.FOLLOWING
            self.say(
                DiagnosticStatus.OK if moving else DiagnosticStatus.WARN, f"{command.state.name}: {command.reason}"
            )
        if self._publisher is not None:
            self._publisher.command(command)

    def destroy_node(self) -> None:
        """Take everything down."""
        self._stop.close()
        super().destroy_node()

    # On threads of the services ---------------------------------------------------------------------------------

    def _emergency_stop(self, reason: str) -> None:
        controller, loop = self._controller, self._loop
        if controller is not None:
            controller.emergency_stop(reason)
        if loop is not None:
            loop.wake()

    def _reset(self) -> None:
        controller = self._controller
        if controller is not None:
            controller.reset()


def main() -> int:
    """Run the node; returns the exit status."""
    return run(ControlNode)
