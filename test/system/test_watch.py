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

from edge_ai.msg import ControlStatus, MitigationStatus, RecorderStatus, SystemStatus

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


@pytest.fixture
def ladder(tmp_path):
    path = tmp_path / "mitigation.yaml"
    path.write_text(LADDER)
    return {**CALM, "mitigation": str(path), "alert_memory": 0.001, "alert_after": 0.0, "alert_clear_after": 0.0}


def rate(robot):
    """The camera's cap, as the camera says."""
    return robot.call(GetParameters, "camera/get_parameters", names=["max_rate"]).values[0].double_value


def put(robot, node, name, value):
    parameter = Parameter(name, value=value).to_parameter_msg()
    answer = robot.call(SetParameters, f"{node}/set_parameters", parameters=[parameter])
    assert answer.results[0].successful, answer.results[0].reason


def test_a_step_changes_another_process_and_is_taken_back_when_all_is_well(robot, ladder):
    robot.whole(camera=SYNTHETIC).watched("monitor", monitor=ladder)
    steps = robot.listen(MitigationStatus, "monitor/mitigation")
    status = robot.listen(SystemStatus, "monitor/status")
    robot.until(lambda: steps and steps[-1].level == 1, "the step")
    assert rate(robot) == 5.0
    rates = lambda: {r.name: r.value for r in status[-1].readings}  # noqa: E731
    robot.until(lambda: 0 < rates().get("camera/rate", 0) < 7, "a camera that gives fewer frames")
    put(robot, "monitor", "alert_memory", 0.999)
    robot.until(lambda: steps[-1].level == 0, "its end")
    assert rate(robot) == 0.0
    robot.until(lambda: rates().get("camera/rate", 0) > 10, "all frames again")
    assert steps[-1].changes == 2


def test_a_monitor_that_ends_takes_back_what_it_did(robot, ladder):
    robot.whole(camera=SYNTHETIC).watched("monitor", monitor=ladder)
    robot.until(lambda: rate(robot) == 5.0, "the step")
    assert robot.nodes["monitor"].end(signal.SIGTERM) == 0
    assert rate(robot) == 0.0


def test_a_monitor_that_was_killed_takes_it_back_after_its_restart(robot, ladder):
    robot.whole(camera=SYNTHETIC).watched("monitor", monitor=ladder)
    steps = robot.listen(MitigationStatus, "monitor/mitigation")
    robot.until(lambda: steps and steps[-1].level == 1, "the step")
    robot.nodes["monitor"].kill()
    assert rate(robot) == 5.0
    robot.start("monitor", monitor={**ladder, "alert_memory": 0.999})
    robot.until(lambda: rate(robot) == 0.0, "the former value")


def test_a_node_that_is_killed_leaves_a_recording_of_its_last_seconds(robot):
    robot.whole(camera=SYNTHETIC).watched("recorder", recorder={"after": 1.0})
    status = robot.listen(RecorderStatus, "recorder/status")
    robot.until(lambda: status and status[-1].buffered > 4.0, "some seconds in memory")
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


def test_watchers_that_fail_do_not_keep_the_robot_from_driving(robot, tmp_path):
    (tmp_path / "bad.yaml").write_text("steps: [{name: fly}]")
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    bad = {"mitigation": str(tmp_path / "bad.yaml")}
    robot.watched(monitor=bad, recorder={"folder": str(blocked / "x")}, dashboard={"host": "0.0.0.0"})
    robot.whole(camera=SYNTHETIC)
    control = robot.listen(ControlStatus, "control/status")
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics", 200)
    robot.until(lambda: control and control[-1].state == ControlStatus.NO_TARGET, "fresh results")

    def errors():
        return {s.name: s.message for d in list(diagnostics) for s in d.status if s.level == DiagnosticStatus.ERROR}

    robot.until(lambda: {"monitor", "dashboard"} <= errors().keys(), "the reasons on /diagnostics")
    assert "bad.yaml" in errors()["monitor"]
    assert "token" in errors()["dashboard"]


def test_nodes_that_end_in_order_are_no_crash_and_the_watch_ends_quietly_too(robot):
    robot.whole(camera=SYNTHETIC).watched(recorder={"triggers": ["crash"]})
    status = robot.listen(RecorderStatus, "recorder/status")
    robot.until(lambda: status and status[-1].buffered > 2.0, "some seconds in memory")
    watch = ("monitor", "recorder", "dashboard", "watch_manager")

    def end(name):
        node = robot.nodes[name]
        assert node.end(signal.SIGINT) == 0, f"{name}: {node.output()}"
        assert "Traceback" not in node.output(), node.output()

    for name in robot.nodes.keys() - set(watch):
        end(name)
    seen = len(status)
    robot.until(lambda: len(status) > seen + 4, "longer than a node may be silent")
    assert not list(robot.recordings.glob("*.mcap"))
    for name in watch:
        end(name)
