import signal

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Twist
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from edge_ai.control.params import ControlParams
from edge_ai.core.clock import NS
from edge_ai.msg import CameraStatus, ControlStatus, InferenceResult
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.qos import SENSOR

LIMIT = ControlParams().max_age + 1 / ControlParams().rate
SYNTHETIC = {"source": "synthetic://320x240@15"}


def moving(command):
    return command.linear.x != 0 or command.angular.z != 0


def stamp(message):
    return time_to_ns(message.header.stamp)


def test_people_are_followed_and_a_lost_camera_stops_the_robot(robot, walkers):
    robot.whole(camera={"source": walkers, "loop": True})
    captures = robot.listen(CameraStatus, "camera/status")
    results = robot.listen(InferenceResult, "inference/results")
    status = robot.listen(ControlStatus, "control/status", 500)
    commands = robot.listen(Twist, "cmd_vel")
    robot.until(lambda: any(moving(c) for c in commands) and len(results) > 20, "motion")
    robot.until(lambda: captures, "captures")

    first = stamp(captures[0])
    robot.until(
        lambda: any(d.class_name == "person" for r in list(results) if stamp(r) >= first for d in r.detections),
        "a person in a result of a known capture",
    )
    seen = [r for r in list(results) if stamp(r) >= first]
    robot.until(lambda: all(stamp(r) in {stamp(c) for c in captures} for r in seen), "the captures of all results")
    assert all([t.stage for t in r.timings] == ["wait", "preprocess", "infer", "postprocess"] for r in seen)
    followed = next(s for s in status if s.state == ControlStatus.FOLLOWING)
    assert followed.has_target
    assert followed.target.class_name == "person"

    gaps = np.diff([stamp(s) for s in status])
    assert np.median(gaps) <= NS / 20, "at least 20 commands a second"

    robot.nodes["camera"].kill()
    robot.until(lambda: status[-1].state == ControlStatus.STALE, "the stop")
    assert all(s.age <= LIMIT for s in status if moving(s.command)), "nothing old ever moved it"
    still = len(commands)
    robot.until(lambda: len(commands) > still + 30, "zeros that keep coming")
    assert not any(moving(c) for c in commands[still + 5 :])


def test_a_dead_node_is_brought_back(robot):
    robot.whole(camera=SYNTHETIC)
    status = robot.listen(ControlStatus, "control/status")
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
    robot.until(lambda: status and status[-1].state == ControlStatus.NO_TARGET, "fresh results")
    robot.nodes["control"].kill()
    robot.until(
        lambda: any(
            s.name == "lifecycle_manager: control" and s.level == DiagnosticStatus.ERROR
            for d in diagnostics
            for s in d.status
        ),
        "the manager to miss it",
    )
    status.clear()
    robot.start("control")
    robot.until(lambda: status and status[-1].state == ControlStatus.NO_TARGET, "commands of the new one")


def test_the_last_word_of_a_control_node_is_zero(robot, walkers):
    robot.whole(camera={"source": walkers, "loop": True})
    commands = robot.listen(Twist, "cmd_vel")
    robot.until(lambda: commands and moving(commands[-1]), "motion")
    assert robot.nodes["control"].end(signal.SIGTERM) == 0
    robot.until(lambda: not moving(commands[-1]), "zero")
    assert "Traceback" not in robot.nodes["control"].output()


def test_every_node_ends_quietly_on_a_signal(robot):
    robot.whole(camera=SYNTHETIC)
    status = robot.listen(ControlStatus, "control/status")
    robot.until(lambda: status and status[-1].state == ControlStatus.NO_TARGET, "fresh results")
    for name, node in robot.nodes.items():
        assert node.end(signal.SIGINT) == 0, name
        assert "Traceback" not in node.output(), node.output()


def test_an_emergency_stop_holds_until_reset_even_over_a_crash(robot, walkers):
    robot.whole(camera={"source": walkers, "loop": True})
    status = robot.listen(ControlStatus, "control/status")
    robot.until(lambda: status and status[-1].state == ControlStatus.FOLLOWING, "following")
    assert robot.call(Trigger, "control/emergency_stop").success
    robot.until(lambda: status[-1].state == ControlStatus.EMERGENCY_STOP, "the stop")
    seen = len(status)
    robot.until(lambda: len(status) > seen + 50, "a second of commands")
    assert {s.state for s in status[seen:]} == {ControlStatus.EMERGENCY_STOP}
    robot.nodes["control"].kill()
    status.clear()
    robot.start("control")
    robot.until(lambda: len(status) > 50, "a second of commands")
    assert {s.state for s in status} == {ControlStatus.EMERGENCY_STOP}
    assert robot.call(Trigger, "control/reset").success
    robot.until(lambda: status[-1].state == ControlStatus.FOLLOWING, "following again")


def test_a_qos_that_does_not_fit_is_named_in_log_and_diagnostics(robot):
    robot.start("camera", "lifecycle_manager", camera=SYNTHETIC, lifecycle_manager={"node_names": ["camera"]})
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
    robot.listen(Image, "camera/image_raw", QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE))
    robot.until(
        lambda: any(
            "/camera/image_raw" in s.name and "RELIABILITY" in s.message for d in diagnostics for s in d.status
        ),
        "the report on /diagnostics",
    )
    assert "topic /camera/image_raw" in robot.nodes["camera"].output()
    assert "RELIABILITY" in robot.nodes["camera"].output()


def test_the_composed_robot_stops_with_its_camera_too(robot, walkers):
    robot.start(
        "pipeline",
        "lifecycle_manager",
        pipeline={"camera.source": walkers, "camera.loop": False},
        lifecycle_manager={"node_names": ["pipeline"]},
    )
    status = robot.listen(ControlStatus, "control/status", 500)
    captures = robot.listen(CameraStatus, "camera/status")
    robot.until(lambda: any(moving(s.command) for s in status) and captures, "motion")
    images = robot.listen(Image, "camera/image_raw", SENSOR)
    robot.until(lambda: images, "an image for who asks for it")
    robot.until(lambda: stamp(images[0]) in {stamp(c) for c in captures}, "the capture of that image")
    change = ChangeState.Request().transition
    change.id = Transition.TRANSITION_DEACTIVATE
    robot.nodes["lifecycle_manager"].kill()
    assert robot.call(ChangeState, "pipeline/change_state", transition=change).success
    robot.until(lambda: not moving(status[-1].command), "zero")
    assert all(s.age <= LIMIT for s in status if moving(s.command))
