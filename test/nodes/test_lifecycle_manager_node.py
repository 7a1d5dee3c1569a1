import json

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.node import Node
from std_srvs.srv import Trigger

from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.lifecycle_manager_node import LifecycleManagerNode


class Stubborn(ManagedNode):
    """Refuses to be configured until told otherwise."""

    def __init__(self):
        super().__init__("camera", {})
        self.willing = False

    def configure(self):
        from edge_ai.core.errors import SourceError

        if not self.willing:
            raise SourceError("no camera")


def reports(diagnostics, name):
    return [s for d in diagnostics for s in d.status if s.name == f"lifecycle_manager: {name}"]


def test_it_brings_nodes_up_reports_and_takes_them_down(ros, until):
    one = ros(**{"lifecycle_manager:node_names": "[control]", "lifecycle_manager:period": 0.1})
    diagnostics = one.listen(DiagnosticArray, "/diagnostics", 50)
    control = one.add(ControlNode())
    one.add(LifecycleManagerNode())
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "active")
    until(lambda: [s for s in reports(diagnostics, "control") if s.level == DiagnosticStatus.OK], "a good report")
    assert one.call(Trigger, "lifecycle_manager/stop").success
    until(lambda: control.state == State.PRIMARY_STATE_UNCONFIGURED, "unconfigured")
    assert one.call(Trigger, "lifecycle_manager/start").success
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "active again")


def test_standby_is_ready_at_once_and_says_when(ros, until):
    one = ros(
        **{
            "lifecycle_manager:node_names": "[camera, control]",
            "lifecycle_manager:period": 0.1,
            "lifecycle_manager:autostart": "false",
        }
    )
    camera, control = one.add(Stubborn()), one.add(ControlNode())
    one.add(LifecycleManagerNode())
    assert one.call(Trigger, "lifecycle_manager/standby").success
    until(lambda: one.call(Trigger, "lifecycle_manager/status").success, "standby")
    status = json.loads(one.call(Trigger, "lifecycle_manager/status").message)
    assert status["wanted"] == "standby"
    assert {name: node["state"] for name, node in status["nodes"].items()} == {
        "camera": "unconfigured",
        "control": "inactive",
    }
    assert control.state == State.PRIMARY_STATE_INACTIVE
    camera.willing = True
    assert one.call(Trigger, "lifecycle_manager/start").success
    until(lambda: one.call(Trigger, "lifecycle_manager/status").success, "all active")
    assert camera.state == control.state == State.PRIMARY_STATE_ACTIVE


def test_a_node_that_fails_is_reported_and_tried_again(ros, until):
    one = ros(
        **{
            "lifecycle_manager:node_names": "[camera, control]",
            "lifecycle_manager:period": 0.1,
            "lifecycle_manager:retry_first": 0.1,
            "lifecycle_manager:retry_longest": 0.2,
        }
    )
    diagnostics = one.listen(DiagnosticArray, "/diagnostics", 50)
    camera, control = one.add(Stubborn()), one.add(ControlNode())
    one.add(LifecycleManagerNode())
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "control active in spite of the camera")
    bad = until(lambda: [s for s in reports(diagnostics, "camera") if s.level == DiagnosticStatus.ERROR], "the report")
    assert "configure failed" in bad[0].message
    assert camera.fault == "no camera"
    camera.willing = True
    until(lambda: camera.state == State.PRIMARY_STATE_ACTIVE, "the camera after all")


def test_a_node_that_is_not_there_is_reported_lost(ros, until):
    one = ros(
        **{
            "lifecycle_manager:node_names": "[camera, control]",
            "lifecycle_manager:period": 0.1,
            "lifecycle_manager:startup_patience": 0.5,
        }
    )
    diagnostics = one.listen(DiagnosticArray, "/diagnostics", 50)
    control = one.add(ControlNode())
    one.add(LifecycleManagerNode())
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "control active after the patience")
    until(lambda: [s for s in reports(diagnostics, "camera") if s.level == DiagnosticStatus.ERROR], "the report")


def test_a_node_that_stops_by_itself_is_brought_back(ros, until):
    one = ros(**{"lifecycle_manager:node_names": "[control]", "lifecycle_manager:period": 0.1})
    control = one.add(ControlNode())
    one.add(LifecycleManagerNode())
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "active")
    one.do(control, "deactivate")
    until(lambda: control.state == State.PRIMARY_STATE_ACTIVE, "active again")


def test_an_answer_that_was_lost_does_not_hold_it_up(ros, until, mute):
    one = ros(
        **{
            "lifecycle_manager:node_names": "[eye]",
            "lifecycle_manager:period": 0.05,
            "lifecycle_manager:response_timeout": 0.2,
        }
    )
    eye = one.add(Node("eye"))
    state = [State.PRIMARY_STATE_UNCONFIGURED]
    follows = {Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE}
    follows[Transition.TRANSITION_ACTIVATE] = State.PRIMARY_STATE_ACTIVE

    def change(request, response):
        state[0] = follows[request.transition.id]
        raise mute

    def tell(request, response):
        response.current_state.id = state[0]
        return response

    eye.create_service(ChangeState, "eye/change_state", change)
    eye.create_service(GetState, "eye/get_state", tell)
    diagnostics = one.listen(DiagnosticArray, "/diagnostics", 50)
    one.add(LifecycleManagerNode())
    until(lambda: state[0] == State.PRIMARY_STATE_ACTIVE, "active")
    until(lambda: [s for s in reports(diagnostics, "eye") if s.level == DiagnosticStatus.OK], "a good report")
