"""What users and machines get wrong: one clear line, and a robot that stands still."""

import hashlib
import math
import re

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Image

from edge_ai.msg import ControlStatus, Detection, InferenceResult
from edge_ai.nodes.qos import NEWEST, SENSOR
from edge_ai.runtime.resources import shipped_card


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


def card(tmp, *, old="", new="", model=None):
    """A copy of the shipped card with one text for another, beside the model or other bytes in its place; its path."""
    shipped = shipped_card()
    text = shipped.read_text().replace(old, new)
    content = (shipped.parent / "nanodet_g_416.onnx").read_bytes() if model is None else model
    if model is not None:
        text = re.sub("sha256: .*", f"sha256: {hashlib.sha256(model).hexdigest()}", text)
    (tmp / "nanodet_g_416.onnx").write_bytes(content)
    (tmp / "coco80.txt").write_bytes((shipped.parent / "coco80.txt").read_bytes())
    return write(tmp / "card.yaml", text.encode())


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (lambda tmp: {"camera": {"source": str(tmp / "none.avi")}}, "none.avi"),
        (lambda tmp: {"camera": {"source": write(tmp / "empty.avi", b"")}}, "empty.avi"),
        (lambda tmp: {"camera": {"source": write(tmp / "torn.avi", b"RIFF\x00\x10\x00\x00AVI LIST")}}, "torn.avi"),
        (lambda tmp: {"camera": {"source": "/dev/video97"}}, "/dev/video97"),
        (lambda tmp: {"inference": {"model": str(tmp / "none.yaml")}}, "none.yaml"),
        (lambda tmp: {"inference": {"model": write(tmp / "bad.yaml", b"name: [")}}, "bad.yaml"),
        (lambda tmp: {"inference": {"model": card(tmp, old="sha256: 0bb4", new="sha256: ffff")}}, "sha256"),
        (lambda tmp: {"inference": {"model": card(tmp, model=b"no model")}}, "nanodet_g_416.onnx"),
        (lambda tmp: {"inference": {"model": card(tmp, old="name: images", new="name: pictures")}}, "'pictures'"),
    ],
    ids=[
        "no video",
        "empty video",
        "torn video",
        "no camera",
        "no card",
        "broken card",
        "wrong sha256",
        "corrupt model",
        "wrong input name",
    ],
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


def test_a_parameter_out_of_range_is_refused_at_run_time_by_name_and_range(robot):
    robot.start("control")
    wrong = Parameter(name="max_age", value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=9.0))
    (answer,) = robot.call(SetParameters, "control/set_parameters", parameters=[wrong]).results
    assert not answer.successful
    for word in ("max_age", "0.02", "5", "9"):
        assert word in answer.reason


def test_a_result_with_nan_stops_the_robot_until_a_good_one_comes(robot):
    robot.start("control", "lifecycle_manager", lifecycle_manager={"node_names": ["control"]})
    status = robot.listen(ControlStatus, "control/status")
    diagnostics = robot.listen(DiagnosticArray, "/diagnostics")
    inference = robot.probe.create_publisher(InferenceResult, "inference/results", NEWEST)

    def show(score):
        found = Detection(class_name="person", score=score, x_min=500.0, y_min=100.0, x_max=560.0, y_max=300.0)
        message = InferenceResult(image_width=640, image_height=480, detections=[found])
        message.header.stamp = robot.probe.get_clock().now().to_msg()
        inference.publish(message)
        return status[-1].state if status else None

    robot.until(lambda: show(0.9) == ControlStatus.FOLLOWING, "following")
    robot.until(lambda: show(math.nan) == ControlStatus.MALFORMED, "the refusal")
    robot.until(lambda: any("NaN" in s.message for d in diagnostics for s in d.status), "the reason on /diagnostics")
    bad = [s for s in status if s.state == ControlStatus.MALFORMED]
    assert all(s.command.linear.x == 0 and s.command.angular.z == 0 for s in bad)
    robot.until(lambda: show(0.9) == ControlStatus.FOLLOWING, "following again")
