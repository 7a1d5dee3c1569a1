"""lifecycle_manager_node: brings the managed nodes up in order, watches them, and brings back one that died."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import rclpy.client
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State
from lifecycle_msgs.msg import Transition as TransitionId
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from edge_ai.nodes.diagnostics import diagnostic_status
from edge_ai.nodes.ros_clock import RosClock
from edge_ai.nodes.ros_params import NodeParams
from edge_ai.nodes.runner import run
from edge_ai.runtime.supervision import LifecycleManagerParams, NodeState, Supervisor, Transition, Wanted

_STATES = {
    State.PRIMARY_STATE_UNCONFIGURED: NodeState.UNCONFIGURED,
    State.PRIMARY_STATE_INACTIVE: NodeState.INACTIVE,
    State.PRIMARY_STATE_ACTIVE: NodeState.ACTIVE,
    State.PRIMARY_STATE_FINALIZED: NodeState.FINALIZED,
}
_TRANSITIONS = {
    Transition.CONFIGURE: TransitionId.TRANSITION_CONFIGURE,
    Transition.ACTIVATE: TransitionId.TRANSITION_ACTIVATE,
    Transition.DEACTIVATE: TransitionId.TRANSITION_DEACTIVATE,
    Transition.CLEANUP: TransitionId.TRANSITION_CLEANUP,
}


class _Line:
    """The two services of one managed node, and the calls under way."""

    def __init__(self, node: Node, name: str) -> None:
        self.get_state: rclpy.client.Client = node.create_client(GetState, f"{name}/get_state")
        self.change_state: rclpy.client.Client = node.create_client(ChangeState, f"{name}/change_state")
        # When each state still to be told was asked for. Asking goes on meanwhile: while two participants still meet,
        # which takes seconds after a restart, single answers are lost.
        self.asked: dict[Any, float] = {}
        self.answered_at = 0.0
        self.changing: Any = None
        self.changing_since = 0.0

    def forget(self, before: float) -> None:
        """Take no more answers to what was asked before a time."""
        for future in [future for future, since in self.asked.items() if since < before]:
            self.get_state.remove_pending_request(future)
            del self.asked[future]

    def give_up_change(self) -> None:
        """Wait no longer for the answer to a transition."""
        if self.changing is not None:
            self.change_state.remove_pending_request(self.changing)
            self.changing = None


class LifecycleManagerNode(Node):
    """Keeps the nodes of parameter `node_names` active; ~/start, ~/standby and ~/stop bring them up and down."""

    def __init__(self) -> None:
        super().__init__("lifecycle_manager")
        self._params = NodeParams(self, {"": LifecycleManagerParams})
        self._params.watch(frozen=lambda: True, on_change=lambda: None)
        params: LifecycleManagerParams = self._params[""]
        self._supervisor = Supervisor(params, RosClock(self))
        self._lines = {name: _Line(self, name) for name in params.node_names}
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        for name, wanted in (("start", Wanted.UP), ("standby", Wanted.STANDBY), ("stop", Wanted.DOWN)):
            self.create_service(Trigger, f"~/{name}", partial(self._on_request, wanted))
        self.create_service(Trigger, "~/status", self._on_status_request)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(params.period, self._look, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)
        self._was_up = False

    def _on_request(self, wanted: Wanted, _request: Any, response: Trigger.Response) -> Trigger.Response:
        self._supervisor.want(wanted)
        response.success, response.message = True, f"{wanted.value} is wanted of {', '.join(self._lines)}"
        self.get_logger().info(response.message)
        self._act()
        return response

    def _on_status_request(self, _request: Any, response: Trigger.Response) -> Trigger.Response:
        """Success: all nodes are as they are wanted. The message is JSON."""
        nodes = {
            node.name: {"state": node.state.value, "reason": node.reason} for node in self._supervisor.nodes.values()
        }
        response.success = self._supervisor.settled
        response.message = json.dumps({"wanted": self._supervisor.wanted.value, "nodes": nodes})
        return response

    def _look(self) -> None:
        for name, line in self._lines.items():
            self._ask(name, line)
        self._act()

    def _ask(self, name: str, line: _Line) -> None:
        now, params = time.monotonic(), self._params[""]
        if line.changing is not None and now - line.changing_since > params.transition_timeout:
            line.give_up_change()
        line.forget(now - params.response_timeout)
        silent = line.changing is None and now - line.answered_at > params.response_timeout
        if silent or not line.get_state.service_is_ready():
            line.give_up_change()
            self._lost(name)
        if line.get_state.service_is_ready():
            future = line.get_state.call_async(GetState.Request())
            line.asked[future] = now
            future.add_done_callback(partial(self._on_state, name))

    def _lost(self, name: str) -> None:
        node = self._supervisor.nodes[name]
        if node.state is not NodeState.LOST:
            self.get_logger().error(f"{name} is lost: it does not answer any more")
        self._supervisor.observe(name, NodeState.LOST)

    def _on_state(self, name: str, future: Any) -> None:
        line = self._lines[name]
        asked_at = line.asked.pop(future, None)
        if asked_at is None:
            return
        line.answered_at = time.monotonic()
        state = _STATES.get(future.result().current_state.id, NodeState.CHANGING)
        overdue = asked_at > line.changing_since + self._params[""].response_timeout
        if line.changing is not None and state is not NodeState.CHANGING and overdue:
            # It rests in a state, so the transition is over: its answer was lost while the two were still meeting.
            line.give_up_change()
        if line.changing is None:
            self._supervisor.observe(name, state)
            self._act()

    def _act(self) -> None:
        if any(line.changing is not None for line in self._lines.values()):
            return
        step = self._supervisor.next()
        if step is not None:
            self._change(*step)
        if self._supervisor.all_up != self._was_up:
            self._was_up = self._supervisor.all_up
            names = ", ".join(self._lines)
            self.get_logger().info(f"all active: {names}" if self._was_up else f"not all active any more: {names}")

    def _change(self, name: str, transition: Transition) -> None:
        line = self._lines[name]
        if not line.change_state.service_is_ready():
            return
        self.get_logger().info(f"{transition.value} {name}")
        request = ChangeState.Request()
        request.transition.id = _TRANSITIONS[transition]
        self._supervisor.observe(name, NodeState.CHANGING)
        line.changing, line.changing_since = line.change_state.call_async(request), time.monotonic()
        line.changing.add_done_callback(partial(self._on_changed, name, transition))

    def _on_changed(self, name: str, transition: Transition, future: Any) -> None:
        line = self._lines[name]
        if line.changing is not future:
            return
        line.changing, line.answered_at = None, time.monotonic()
        line.forget(line.answered_at)
        if not future.result().success:
            self._supervisor.failed(name, f"{transition.value} failed, its own diagnostics and log say why")
            self.get_logger().error(f"{name}: {self._supervisor.nodes[name].reason}")
        self._ask(name, line)

    def _report(self) -> None:
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        prefix = self.get_fully_qualified_name().lstrip("/")
        for node in self._supervisor.nodes.values():
            right = self._supervisor.goal(node.name)
            bad = node.state is NodeState.LOST or bool(node.failures)
            level = DiagnosticStatus.ERROR if bad else DiagnosticStatus.WARN
            level = DiagnosticStatus.OK if node.state is right else level
            values = {"state": node.state.value, "failures": node.failures, "recoveries": node.recoveries}
            array.status.append(
                diagnostic_status(f"{prefix}: {node.name}", level, node.reason or node.state.value, values)
            )
        self._diagnostics.publish(array)


def main() -> int:
    """Run the node; returns the exit status."""
    return run(LifecycleManagerNode)
