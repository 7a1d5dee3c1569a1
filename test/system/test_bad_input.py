"""What users and machines get wrong: one clear line, and a robot that stands still."""

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import Image

from edge_ai.msg import ControlStatus, InferenceResult
from edge_ai.nodes.qos import SENSOR


@pytest.mark.parametrize(
    ("node", "params", "words"),
    [
        (
            "control",
            {"max_age": 99.0},
            "'max_age' of control: got 99.0 (float); wanted double 0.02 .. 5 s",
        ),
        ("control", {"max_age": "soon"}, "error: parameter 'max_age' of control: got 'soon' (str); wanted double"),
        ("camera", {"souce": "0"}, "error: parameter 'souce' of camera does not exist"),
    ],
    ids=["range", "type", "name"],
)
def test_a_wrong_parameter_ends_the_node_with_one_line(robot, node, params, words):
    robot.start(node, **{node: params})
    robot.until(lambda: robot.nodes[node].returncode is not None, "the end")
    assert robot.nodes[node].returncode == 1
    assert words in robot.nodes[node].output()
    assert "Traceback" not in robot.nodes[node].output()


def write(path, data):
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (lambda tmp: {"camera": {"source": str(tmp / "none.avi")}}, "none.avi"),
        (lambda tmp: {"camera": {"source": write(tmp / "empty.avi", b"")}}, "empty.avi"),
        (lambda tmp: {"camera": {"source": write(tmp / "torn.avi", b"RIFF\x00\x10\x00\x00AVI LIST")}}, "torn.avi"),
        (lambda tmp: {"camera": {"source": "/dev/video97"}}, "/dev/video97"),
        (lambda tmp: {"inference": {"model": str(tmp / "none.yaml")}}, "none.yaml"),
        (lambda tmp: {"inference": {"model": write(tmp / "bad.yaml", b"name: [")}}, "bad.yaml"),
    ],
    ids=["no video", "empty video", "torn video", "no camera", "no card", "broken card"],
)
def test_the_robot_says_why_and_is_told_zero(robot, tmp_path, params, words):
    given = {"camera": {"source": "synthetic://320x240@15"}, **params(tmp_path)}
    robot.whole(**given)
    status = robot.listen(ControlStatus, "control/status")
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
    robot.until(
        lambda: any(words in s.message and s.level == DiagnosticStatus.ERROR for d in diagnostics for s in d.status),
        "the reason on /diagnostics",
    )
    robot.until(lambda: len(status) > 20, "commands all the same")
    assert {s.state for s in status} == {ControlStatus.STALE}
    assert all(s.command.linear.x == 0 and s.command.angular.z == 0 for s in status)
    for node in robot.nodes.values():
        assert "Traceback" not in node.output(), node.output()


def test_images_that_make_no_sense_have_no_result_and_move_nothing(robot):
    nodes = ["inference", "control"]
    robot.start(*nodes, "lifecycle_manager", lifecycle_manager={"node_names": nodes})
    status = robot.listen(ControlStatus, "control/status")
    results = robot.listen(InferenceResult, "inference/results")
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
    camera = robot.probe.create_publisher(Image, "camera/image_raw", SENSOR)
    good = {"width": 4, "height": 2, "step": 12, "encoding": "bgr8", "data": bytes(24)}
    for change, words in (
        ({"encoding": "purple8"}, "purple8"),
        ({"data": bytes(23)}, "torn image"),
        ({"width": 0}, "no size"),
    ):

        def complained(fields={**good, **change}, words=words):  # noqa: B006 - bound to this turn of the loop
            message = Image(**fields)
            message.header.stamp = robot.probe.get_clock().now().to_msg()
            camera.publish(message)
            return any(words in s.message for d in diagnostics for s in d.status if s.level == DiagnosticStatus.ERROR)

        robot.until(complained, f"the complaint '{words}'")
    assert not results
    robot.until(lambda: status, "commands")
    assert {s.state for s in status} == {ControlStatus.STALE}
