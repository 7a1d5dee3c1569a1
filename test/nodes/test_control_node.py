import math
import threading
import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from edge_ai.control.kept_stop import KeptStop
from edge_ai.msg import ControlStatus, Detection, InferenceResult
from edge_ai.nodes.caller import Caller
from edge_ai.nodes.control_node import ControlNode


def person(node, *, age=0.0, score=0.9, box=(500.0, 100.0, 560.0, 300.0), size=(640, 480)):
    message = InferenceResult(image_width=size[0], image_height=size[1])
    stamp_ns = node.get_clock().now().nanoseconds - round(age * 1e9)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    x1, y1, x2, y2 = box
    found = Detection(class_id=0, class_name="person", score=score, x_min=x1, y_min=y1, x_max=x2, y_max=y2)
    message.detections = [found]
    return message


@pytest.fixture
def robot(ros):
    """An active control node with a publisher of results, its commands and its status."""

    class Robot:
        def __init__(self, **parameters):
            self.ros = ros(**parameters)
            self.node = self.ros.add(ControlNode())
            kind = TwistStamped if parameters.get("stamped") else Twist
            self.commands = self.ros.listen(kind, "cmd_vel")
            self.status = self.ros.listen(ControlStatus, "control/status", 100)
            self.results = self.ros.probe.create_publisher(InferenceResult, "inference/results", 1)
            assert self.ros.do(self.node, "configure")
            assert self.ros.do(self.node, "activate")

        def state(self):
            return self.status[-1].state if self.status else None

        def show(self, **what):
            self.results.publish(person(self.node, **what))
            return True

    return Robot


def test_it_follows_while_results_are_fresh_and_stops_when_they_cease(robot, until):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    moving = it.status[-1]
    assert moving.has_target
    assert moving.target.class_name == "person"
    assert moving.command.angular.z < 0, "somebody to the right means a turn to the right"
    until(lambda: it.state() == ControlStatus.STALE, "the stop")
    stopped = next(s for s in it.status if s.state == ControlStatus.STALE and s.has_result)
    limit = it.node.params[""].max_age
    assert stopped.age > limit
    before = [s for s in it.status if s.state == ControlStatus.FOLLOWING]
    assert all(s.age <= limit for s in before), "no command to move came from an older result"
    seen = len(it.commands)
    until(lambda: len(it.commands) > seen + 20, "zeros that keep coming")
    assert all(c.linear.x == 0 and c.angular.z == 0 for c in it.commands[seen + 1 :])


def test_a_result_that_is_old_on_arrival_moves_nothing(robot, until):
    it = robot()
    until(lambda: it.show(age=0.5) and it.status and it.status[-1].refused > 2, "refusals")
    assert {s.state for s in it.status} == {ControlStatus.STALE}


@pytest.mark.parametrize(
    "nonsense",
    [{"score": math.nan}, {"box": (math.inf, 0.0, 1.0, 1.0)}, {"size": (0, 0)}, {"score": 7.0}, {"age": -10.0}],
    ids=["score NaN", "box infinite", "no image", "score 7", "from the future"],
)
def test_a_malformed_result_stops_at_once(robot, until, nonsense):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    it.show(**nonsense)
    until(lambda: it.state() == ControlStatus.MALFORMED, "the stop")
    bad = next(s for s in it.status if s.state == ControlStatus.MALFORMED)
    assert (bad.command.linear.x, bad.command.angular.z) == (0.0, 0.0)
    assert bad.refused >= 1


def test_an_emergency_stop_holds_until_reset_even_over_a_cleanup(robot, until):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    assert it.ros.call(Trigger, "control/emergency_stop").success
    until(lambda: it.show() and it.state() == ControlStatus.EMERGENCY_STOP, "the stop")
    it.ros.do(it.node, "deactivate")
    it.ros.do(it.node, "cleanup")
    it.ros.do(it.node, "configure")
    it.status.clear()
    it.ros.do(it.node, "activate")
    until(lambda: it.show() and len(it.status) > 10, "commands")
    assert {s.state for s in it.status} == {ControlStatus.EMERGENCY_STOP}
    assert it.ros.call(Trigger, "control/reset").success
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following again")


def test_a_stop_that_only_the_other_side_heard_of_stops_this_one(robot, until):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    name = it.node.resolve_service_name("control/emergency_stop")
    KeptStop.of(f"{it.node.context.get_domain_id()}{name}").keep(stopped=True)
    until(lambda: it.show() and it.state() == ControlStatus.EMERGENCY_STOP, "the stop")
    assert it.ros.call(Trigger, "control/reset").success
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following again")


def test_an_emergency_stop_does_not_wait_for_a_busy_executor(robot, until):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    busy, over = threading.Event(), threading.Event()
    it.ros.probe.create_timer(0.01, lambda: busy.set() or over.wait(20))  # beside the node, in its executor
    assert busy.wait(10)
    caller = Caller(it.ros.probe)
    try:
        assert caller.call(Trigger, "control/emergency_stop", Trigger.Request(), time.monotonic() + 10).success
        until(lambda: it.node._last.state == ControlStatus.EMERGENCY_STOP, "the stop")
        assert caller.call(Trigger, "control/reset", Trigger.Request(), time.monotonic() + 10).success
        until(lambda: it.node._last.state != ControlStatus.EMERGENCY_STOP, "the reset")
    finally:
        over.set()
        caller.close()


def test_deactivation_sends_zero_last(robot, until):
    it = robot()
    until(lambda: it.show() and it.commands and it.commands[-1].angular.z != 0, "motion")
    it.ros.do(it.node, "deactivate")
    until(lambda: it.commands[-1].linear.x == 0 and it.commands[-1].angular.z == 0, "zero")


def test_a_stamped_command_names_the_base(robot, until):
    it = robot(stamped="true", base_frame_id="base")
    until(lambda: it.commands, "a command")
    assert it.commands[-1].header.frame_id == "base"
    assert it.commands[-1].header.stamp.sec > 0


def test_live_parameters_change_and_others_wait_for_a_cleanup(robot):
    it = robot()

    def put(name, value):
        parameter = Parameter(name, value=value).to_parameter_msg()
        return it.ros.call(SetParameters, "control/set_parameters", parameters=[parameter]).results[0]

    assert put("max_linear_speed", 0.1).successful
    assert it.node.params[""].max_linear_speed == 0.1
    refused = put("max_linear_speed", 1e6)
    assert not refused.successful
    assert "max_linear_speed" in refused.reason
    assert "Max: 10.0" in refused.reason
    wrong = put("max_linear_speed", "fast")
    assert "'fast' (str)" in wrong.reason
    held = put("rate", 100.0)
    assert not held.successful
    assert "clean up" in held.reason
    assert it.node.params[""].rate == 50.0


def test_diagnostics_say_why_it_stands(robot, until):
    it = robot()
    reports = it.ros.listen(DiagnosticArray, "/diagnostics")
    mine = until(lambda: [s for r in reports for s in r.status if s.name == "control"], "diagnostics")[-1]
    assert mine.level == DiagnosticStatus.ERROR
    assert "no result yet" in mine.message


def test_it_stops_though_it_can_tell_nobody_that_it_will_be_silent(robot, until, monkeypatch):
    it = robot()
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")

    def broken():
        raise RuntimeError("the context is gone")

    monkeypatch.setattr(it.node._metrics, "excuse", broken)
    assert it.ros.do(it.node, "deactivate")
    assert it.node._loop is None
    until(lambda: it.commands[-1].linear.x == it.commands[-1].angular.z == 0.0, "the last command, which is zero")


def test_of_two_controllers_of_the_same_wheels_one_drives_and_the_other_says_nothing(robot, until):
    it = robot()
    other = it.ros.add(ControlNode())
    assert it.ros.do(other, "configure")
    until(lambda: it.show() and it.state() == ControlStatus.FOLLOWING, "following")
    writers = len(it.ros.probe.get_publishers_info_by_topic("cmd_vel"))
    assert writers == 2
    assert not it.ros.do(other, "activate")
    assert "another controller" in other.fault
    seen = len(it.commands)
    until(lambda: it.show() and len(it.commands) > seen + 20, "more commands")
    assert all(command.linear.x > 0 or command.angular.z for command in it.commands[seen:])  # no stop of the other one
    assert it.ros.do(it.node, "deactivate")
    assert it.ros.do(other, "activate")
    assert not it.ros.do(it.node, "activate")
