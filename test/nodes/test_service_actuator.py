import queue

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from rcl_interfaces.srv import GetParameters
from std_srvs.srv import Trigger

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import CallService, SetParameter, SetPower
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.neighbours import Neighbours
from edge_ai.nodes.pipeline_node import PipelineNode
from edge_ai.nodes.service_actuator import ServiceActuator


@pytest.fixture
def act(ros, until):
    """Starts nodes, each with its namespace, and gives a function that performs an action and returns its outcome."""

    def start(*nodes, power=None, patience=4.0, **params):
        one = ros(**params)
        for make in nodes:
            one.add(make())
        actuator = ServiceActuator(one.probe, power, patience)
        until(lambda: len(Neighbours(one.probe).nodes()) >= len(nodes), "the graph")
        answers = queue.Queue()

        def perform(action):
            actuator.perform(action, answers.put)
            return answers.get(timeout=20)

        perform.ros, perform.nodes = one, one._nodes[1:]
        return perform

    return start


def value(ros, node, name):
    return ros.call(GetParameters, f"{node}/get_parameters", names=[name]).values[0]


def inside(namespace, make):
    """A node in a namespace."""

    def made():
        import rclpy

        node = make.__new__(make)
        before = rclpy.node.Node.__init__

        def init(self, name, **how):
            before(self, name, **{**how, "namespace": namespace})

        rclpy.node.Node.__init__ = init
        try:
            node.__init__()
        finally:
            rclpy.node.Node.__init__ = before
        return node

    return made


def test_a_parameter_is_set_and_its_former_value_undoes_it(act):
    perform = act(ControlNode)
    undo = perform(SetParameter("control", "max_linear_speed", 0.1))
    assert undo == SetParameter("control", "max_linear_speed", 0.3)
    assert value(perform.ros, "control", "max_linear_speed").double_value == 0.1
    assert perform(undo) == SetParameter("control", "max_linear_speed", 0.1)
    assert value(perform.ros, "control", "max_linear_speed").double_value == 0.3


def test_in_a_composed_robot_it_has_a_prefix(act):
    perform = act(PipelineNode)
    assert perform(SetParameter("camera", "max_rate", 10)) == SetParameter("camera", "max_rate", 0.0)
    assert value(perform.ros, "pipeline", "camera.max_rate").double_value == 10.0
    assert perform(CallService("inference", "free_memory")) is None


def test_several_cameras_all_take_it_and_get_back_what_each_had(act):
    perform = act(inside("front", CameraNode), inside("rear", CameraNode))
    assert perform(SetParameter("camera", "max_rate", 20.0)) == SetParameter("camera", "max_rate", 0.0)
    (front, rear) = perform.nodes
    front.set_parameters([front.get_parameter("max_rate").__class__("max_rate", value=30.0)])
    undo = perform(SetParameter("camera", "max_rate", 5.0))
    assert [one.params[""].max_rate for one in (front, rear)] == [5.0, 5.0]
    perform(undo)
    assert [one.params[""].max_rate for one in (front, rear)] == [30.0, 20.0]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (SetParameter("camera", "max_rate", 5.0), "no such node"),
        (SetParameter("control", "mood", 1), "no such parameter"),
        (SetParameter("control", "max_linear_speed", 1e6), "max_linear_speed"),
        (CallService("control", "sing"), "no such service"),
        (SetPower(mode="15W"), "power"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(act, action, words):
    perform = act(ControlNode)
    refusal = perform(action)
    assert isinstance(refusal, EdgeAIError)
    assert words in str(refusal)


def test_a_service_is_called_and_what_takes_it_back_is_known(act):
    perform = act(ControlNode)
    undo = perform(CallService("control", "emergency_stop", "reset"))
    assert undo == CallService("control", "reset", "emergency_stop")
    answer = perform.ros.call(Trigger, "control/reset")
    assert answer.message.startswith("reset"), "it was stopped"
    assert perform(undo) == CallService("control", "emergency_stop", "reset")


def test_power_is_asked_of_the_board(act):
    asked = []

    def power(action):
        asked.append(action)
        return SetPower(mode="MAXN")

    perform = act(ControlNode, power=power)
    assert perform(SetPower(mode="15W")) == SetPower(mode="MAXN")
    assert asked == [SetPower(mode="15W")]


def test_a_node_that_is_gone_is_given_up(act):
    perform = act(ControlNode, patience=0.5)
    (node,) = perform.nodes
    node.destroy_node()
    perform.ros._nodes.remove(node)
    assert isinstance(perform(SetParameter("control", "max_linear_speed", 0.1)), EdgeAIError)


def test_nodes_under_another_monitor_are_not_ours(act, until):
    perform = act(ControlNode, inside("other", ControlNode), inside("other/front", CameraNode))
    neighbours = Neighbours(perform.ros.probe)
    assert neighbours.nodes() == ["/control", "/other/control", "/other/front/camera"]
    services = {**neighbours.services(), "/other/monitor/profile": ["edge_ai/srv/Profile"]}
    assert neighbours.nodes(services) == ["/control"]
    assert neighbours.relative("/other/front/camera") == "other/front/camera"


def test_a_monitor_that_has_just_started_waits_for_those_it_still_has_to_meet(ros):
    one, answers = ros(), queue.Queue()
    actuator = ServiceActuator(one.probe)
    actuator.perform(SetParameter("control", "max_linear_speed", 0.1), answers.put)
    actuator.perform(CallService("control", "emergency_stop"), answers.put)
    one.add(ControlNode())
    outcomes = [answers.get(timeout=20), answers.get(timeout=20)]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
