import queue
import threading

import pytest

from edge_ai.capture.params import CameraParams
from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.monitoring.actions import CallService, SetParameter, SetPower
from edge_ai.routing.params import RouterParams
from edge_ai.watched.actuator import DirectActuator


class Robot:
    def __init__(self):
        self.taken = []
        self.freed = 0
        self.refuses = False

    def apply(self, params):
        if self.refuses:
            raise ParameterError("parameter 'override'", got="no cloud", wanted="one")
        self.taken.append(params)

    def free(self):
        self.freed += 1


@pytest.fixture
def robot():
    return Robot()


@pytest.fixture
def params():
    return {"camera": CameraParams(), "router": RouterParams()}


@pytest.fixture
def perform(robot, params):
    actuator = DirectActuator(params, robot.apply, {"inference/free_memory": robot.free})
    answers = queue.Queue()

    def perform(action):
        actuator.perform(action, answers.put)
        return answers.get(timeout=10)

    yield perform
    actuator.close()


def test_a_parameter_is_taken_over_and_its_former_value_undoes_it(perform, robot, params):
    undo = perform(SetParameter("router", "override", "cloud"))
    assert undo == SetParameter("router", "override", "auto")
    assert params["router"].override == robot.taken[-1]["router"].override == "cloud"
    perform(undo)
    assert params["router"].override == robot.taken[-1]["router"].override == "auto"


def test_a_whole_number_is_taken_for_a_double(perform, params):
    perform(SetParameter("router", "deadline", 1))
    assert params["router"].deadline == 1.0


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (SetParameter("wheels", "size", 1), "wheels"),
        (SetParameter("router", "mood", 1), "no such parameter"),
        (SetParameter("camera", "source", "1"), "live parameter"),
        (SetParameter("router", "override", "moon"), "override"),
        (CallService("inference", "sing"), "free_memory"),
        (SetPower(mode="15W"), "Jetson"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(perform, robot, params, action, words):
    before = dict(params)
    refusal = perform(action)
    assert isinstance(refusal, EdgeAIError)
    assert words in str(refusal)
    assert params == before
    assert not robot.taken


def test_what_the_robot_refuses_is_not_remembered(perform, robot, params):
    robot.refuses = True
    assert isinstance(perform(SetParameter("router", "override", "cloud")), ParameterError)
    assert params["router"].override == "auto"


def test_a_stop_waits_for_nothing_that_hangs(robot, params):
    hanging, done = threading.Event(), queue.Queue()
    services = {"inference/free_memory": hanging.wait, "control/emergency_stop": robot.free}
    actuator = DirectActuator(params, robot.apply, services)
    actuator.perform(CallService("inference", "free_memory"), done.put)
    try:
        actuator.perform(CallService("control", "emergency_stop"), done.put)
        assert done.get(timeout=10) is None
        assert robot.freed == 1
    finally:
        hanging.set()
        actuator.close()


def test_a_service_is_called_and_undone_by_its_counterpart(perform, robot):
    assert perform(CallService("inference", "free_memory")) is None
    assert robot.freed == 1
    assert perform(CallService("inference", "free_memory", "free_memory")) == CallService(
        "inference", "free_memory", "free_memory"
    )
