"""The robot watches itself: real processes, each in its own, with faults that are real."""

import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")
pytest.importorskip("mcap")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from mcap.reader import make_reader
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter

from edge_ai.msg import ControlStatus, MitigationStatus, NodeMetrics, RecorderStatus, SystemStatus

SYNTHETIC = {"source": "synthetic://320x240@15"}
CALM = {f"alert_{name}": 0.0 for name in ("cpu", "memory", "gpu", "temperature")}
LADDER = """
steps:
  - name: fewer frames
    when: [memory]
    do:
      - set: {camera.max_rate: 5}
    dwell: 1
    recover: 1
"""


BAD = {"monitor": "missing.yaml", "recorder": "/dev/null/no folder", "dashboard": "0.0.0.0"}


@pytest.fixture(scope="module")
def overloaded(lasting_robot):
    """A robot that drives beside watchers that cannot work; these are then started anew as each test wants them."""
    robot = lasting_robot
    bad = {"monitor": {"mitigation": BAD["monitor"]}, "recorder": {"folder": BAD["recorder"]}}
    robot.watched(**bad, dashboard={"host": BAD["dashboard"]}).whole(camera=SYNTHETIC)
    robot.working = False
    robot.steps = robot.listen(MitigationStatus, "monitor/mitigation")
    robot.diagnostics = robot.listen(DiagnosticArray, "/diagnostics", 200)
    return robot


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ladder") / "mitigation.yaml"
    path.write_text(LADDER)
    limits = {"alert_memory": 0.001, "alert_after": 0.0, "alert_clear_after": 0.0}
    return {**CALM, **limits, "metrics_port": 0, "mitigation": str(path)}


@pytest.fixture
def throttled(overloaded, ladder):
    """The same with a monitor whose ladder has taken its step."""
    if overloaded.working:
        put(overloaded, "monitor", "alert_memory", ladder["alert_memory"])
    else:
        overloaded.nodes["monitor"].end()
        overloaded.start("monitor", monitor=ladder)
        overloaded.working = True
    overloaded.until(lambda: rate(overloaded) == 5.0, "the step")
    overloaded.steps.clear()
    overloaded.until(lambda: overloaded.steps and overloaded.steps[-1].level == 1, "a monitor that knows of it")
    return overloaded


@pytest.fixture(scope="module")
def recorded(overloaded):
    """The same robot with watchers that all work, and a recorder that has some seconds in memory."""
    robot = overloaded
    robot.stack.end(*(robot.nodes[name] for name in BAD))
    robot.working = False
    good = {"monitor": {"metrics_port": 0, "mitigation": "none"}, "dashboard": {"port": 0}}
    recorder = {"folder": str(robot.recordings), "triggers": ["crash"], "after": 0.5}
    robot.start("monitor", "recorder", "dashboard", recorder=recorder, **good)
    robot.status = robot.listen(RecorderStatus, "recorder/status")
    robot.metrics = robot.listen(NodeMetrics, "node_metrics")
    robot.until(lambda: robot.status and robot.status[-1].buffered > 2.5, "some seconds in memory")
    return robot


def rate(robot):
    """The camera's cap, as the camera says."""
    return robot.call(GetParameters, "camera/get_parameters", names=["max_rate"]).values[0].double_value


def put(robot, node, name, value):
    parameter = Parameter(name, value=value).to_parameter_msg()
    answer = robot.call(SetParameters, f"{node}/set_parameters", parameters=[parameter])
    assert answer.results[0].successful, answer.results[0].reason


def test_watchers_that_fail_do_not_keep_the_robot_from_driving(overloaded):
    control = overloaded.listen(ControlStatus, "control/status")
    overloaded.until(lambda: control and control[-1].state == ControlStatus.NO_TARGET, "fresh results")

    def errors():
        said = [status for array in list(overloaded.diagnostics) for status in array.status]
        return {status.name: status.message for status in said if status.level == DiagnosticStatus.ERROR}

    overloaded.until(lambda: BAD.keys() <= errors().keys(), "the reasons on /diagnostics")
    assert BAD["monitor"] in errors()["monitor"]
    assert BAD["recorder"] in errors()["recorder"]
    assert "token" in errors()["dashboard"]


def test_a_step_changes_another_process_and_is_taken_back_when_all_is_well(throttled):
    robot, steps = throttled, throttled.steps
    status = robot.listen(SystemStatus, "monitor/status")
    rates = lambda: {r.name: r.value for r in status[-1].readings} if status else {}  # noqa: E731
    robot.until(lambda: 0 < rates().get("camera/rate", 0) < 7, "a camera that gives fewer frames")
    put(robot, "monitor", "alert_memory", 0.999)
    robot.until(lambda: steps[-1].level == 0, "its end")
    assert rate(robot) == 0.0
    robot.until(lambda: rates().get("camera/rate", 0) > 10, "all frames again")
    assert steps[-1].changes == 2


def test_a_monitor_that_was_killed_takes_it_back_after_its_restart(throttled, ladder):
    throttled.nodes["monitor"].kill()
    assert rate(throttled) == 5.0
    throttled.start("monitor", monitor={**ladder, "alert_memory": 0.999})
    throttled.until(lambda: rate(throttled) == 0.0, "the former value")


def test_a_monitor_that_ends_takes_back_what_it_did(throttled):
    throttled.working = False
    assert throttled.nodes["monitor"].end(signal.SIGTERM) == 0
    assert rate(throttled) == 0.0


def test_a_node_that_is_killed_leaves_a_recording_of_its_last_seconds(recorded):
    robot, status = recorded, recorded.status
    robot.nodes["inference"].kill()
    robot.until(lambda: status[-1].files and not status[-1].recording, "a recording")
    assert "inference" in status[-1].reason
    found = {}
    with Path(status[-1].file).open("rb") as file:
        for _, channel, _ in make_reader(file).iter_messages():
            found[channel.topic] = found.get(channel.topic, 0) + 1
    for topic in ("/camera/image_raw/compressed", "/inference/results", "/control/status", "/node_metrics"):
        assert found.get(topic, 0) > 3, found
    assert found["/inference/card"] == 1
    assert len(list(robot.recordings.glob("*.mcap"))) == 1


def test_nodes_that_end_in_order_are_no_crash_and_the_watch_ends_quietly_too(recorded):
    robot, status = recorded, recorded.status
    before = list(robot.recordings.glob("*.mcap"))
    if robot.nodes["inference"].returncode is not None:
        robot.start("inference")
    robot.metrics.clear()
    names = ("camera", "inference", "control", "lifecycle_manager")
    heard = lambda: {one.node for one in robot.metrics if one.period}  # noqa: E731
    robot.until(lambda: set(names[:3]) <= heard(), "all nodes")

    def end(*names):
        nodes = [robot.nodes[name] for name in names]
        for node in nodes:
            node.ask_to_end(signal.SIGINT)
        robot.until(lambda: all(node.returncode is not None for node in nodes), "their end")
        for node in nodes:
            assert node.returncode == 0, f"{node.name}: {node.output()}"
            assert "Traceback" not in node.output(), node.output()

    end(*names)
    seen = len(status)
    robot.until(lambda: len(status) > seen + 3, "longer than a node may be silent")
    assert list(robot.recordings.glob("*.mcap")) == before
    end("monitor", "recorder", "dashboard", "watch_manager")
