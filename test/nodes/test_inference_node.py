import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from edge_ai.core.errors import ParameterError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import InferenceResult
from edge_ai.nodes import images
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import SENSOR


class Eye:
    """An active inference node and a camera for it to look through."""

    def __init__(self, ros, **parameters):
        self.ros = ros(**parameters)
        self.node = self.ros.add(InferenceNode())
        self.results = self.ros.listen(InferenceResult, "inference/results")
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._camera = self.ros.probe.create_publisher(Image, "camera/image_raw", SENSOR)
        assert self.ros.do(self.node, "configure"), self.node.fault
        assert self.ros.do(self.node, "activate")

    def show(self, **change):
        stamp = self.node.get_clock().now().nanoseconds
        frame = Frame(FrameHeader(stamp, 0, "eye", 0, 320, 240), np.full((240, 320, 3), 127, np.uint8))
        message = images.image_to_msg(frame)
        for name, value in change.items():
            setattr(message, name, value)
        self._camera.publish(message)
        return message

    def errors(self):
        mine = [s for d in self.diagnostics for s in d.status if s.name == "inference"]
        return [s.message for s in mine if s.level == DiagnosticStatus.ERROR]


def test_a_result_carries_the_stamp_the_model_and_every_stage(ros, until):
    eye = Eye(ros)
    sent = []
    until(lambda: sent.append(eye.show()) or eye.results, "a result", 30)
    result = eye.results[0]
    assert result.header.stamp in [m.header.stamp for m in sent]
    assert result.header.frame_id == "eye"
    assert (result.image_width, result.image_height, result.source) == (320, 240, "edge")
    assert result.model_name == "nanodet_g_416"
    assert [t.stage for t in result.timings] == ["wait", "preprocess", "infer", "postprocess"]
    assert all(t.duration >= 0 for t in result.timings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoding": "purple8"}, "purple8"),
        ({"data": b"torn"}, "torn image"),
        ({"width": 0, "height": 0, "data": b""}, "no size"),
    ],
    ids=["encoding", "torn", "zero size"],
)
def test_a_bad_image_has_no_result_and_says_why(ros, until, change, words):
    eye = Eye(ros)
    until(lambda: eye.show(**change) and any(words in e for e in eye.errors()), "the complaint", 30)
    assert not eye.results
    until(lambda: eye.show() and eye.results, "results once images are good again")


def test_the_annotated_image_is_made_only_while_somebody_looks(ros, until):
    eye = Eye(ros)
    until(lambda: eye.show() and eye.results, "a result", 30)
    pictures = eye.ros.listen(Image, "inference/annotated", SENSOR)
    until(lambda: eye.show() and pictures, "a picture")
    assert (pictures[0].width, pictures[0].height, pictures[0].encoding) == (320, 240, "bgr8")
    assert len(set(pictures[0].data)) > 1, "something was drawn"


def test_an_incompatible_subscriber_is_named_with_topic_and_policy(ros, until):
    eye = Eye(ros)
    eye.ros.listen(Image, "inference/annotated", QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE))
    said = until(
        lambda: [s for d in eye.diagnostics for s in d.status if "QoS" in s.name and "RELIABILITY" in s.message],
        "a report on /diagnostics",
    )[0]
    assert "/inference/annotated" in said.name
    assert said.level == DiagnosticStatus.ERROR


def test_classes_can_be_changed_while_it_runs_and_unknown_ones_are_refused(ros, until):
    eye = Eye(ros)

    def put(value):
        parameter = Parameter("classes", value=value).to_parameter_msg()
        return eye.ros.call(SetParameters, "inference/set_parameters", parameters=[parameter]).results[0]

    assert put(["person"]).successful
    refused = put(["unicorn"])
    assert not refused.successful
    assert "unicorn" in refused.reason
    assert eye.node.params[""].classes == ["person"]


def test_the_model_is_switched_by_a_parameter_while_images_come(ros, until, tmp_path):
    from edge_ai.optimization.artifact import write_card
    from edge_ai.optimization.resizing import resize
    from edge_ai.processing.card import ModelCard
    from edge_ai.runtime.resources import shipped_card

    card = ModelCard.load(shipped_card())
    made = resize(card.model_path, tmp_path / "small.onnx", (160, 160), card.input)
    write_card(card, made.path, tmp_path / "small.yaml", version="small", source="a test", size=made.size)
    eye = Eye(ros, variants=f"['{tmp_path / 'small.yaml'}']")

    def put(value):
        parameter = Parameter("variant", value=value).to_parameter_msg()
        return eye.ros.call(SetParameters, "inference/set_parameters", parameters=[parameter]).results[0]

    until(lambda: eye.show() and eye.results and eye.results[-1].model_version == "1.0", "the model itself", 30)
    assert put(1).successful
    until(lambda: eye.show() and eye.results[-1].model_version == "small", "its variant", 30)
    assert put("").successful
    until(lambda: eye.show() and eye.results[-1].model_version == "1.0", "the model itself again", 30)
    refused = put("large")
    assert not refused.successful
    assert "1: small (nanodet_g_416 small)" in refused.reason
    assert eye.node.params[""].variant == ""
    assert eye.node.free_memory() >= 0
    stamps = [(r.header.stamp.sec, r.header.stamp.nanosec) for r in eye.results]
    assert len(stamps) == len(set(stamps)), "none is answered twice"
    eye.diagnostics.clear()
    told = lambda: [v.value for d in eye.diagnostics for s in d.status for v in s.values if v.key == "model"]  # noqa: E731
    until(lambda: eye.show() and "nanodet_g_416 (nanodet_g_416 1.0)" in told(), "the model's name on /diagnostics", 30)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda card, tmp: str(tmp / "none.yaml"), "none.yaml"),
        (lambda card, tmp: card(file="missing.onnx"), "missing.onnx"),
        (lambda card, tmp: card(sha256="0" * 64), "sha256"),
        (lambda card, tmp: card(input={"name": "nonsense"}), "names input 'nonsense'"),
    ],
    ids=["card missing", "model missing", "wrong sha256", "wrong input name"],
)
def test_configure_fails_with_the_reason(ros, tmp_path, make, words):
    import yaml

    from edge_ai.runtime.resources import shipped_card

    def card(**change):
        path = shipped_card()
        values = yaml.safe_load(path.read_text())
        for name in ("file", "labels"):
            values[name] = str(path.parent / values[name])
        for name, value in change.items():
            values[name] = {**values[name], **value} if isinstance(value, dict) else value
        (tmp_path / "card.yaml").write_text(yaml.safe_dump(values))
        return str(tmp_path / "card.yaml")

    one = ros(model=make(card, tmp_path))
    node = one.add(InferenceNode())
    assert not one.do(node, "configure")
    assert words in node.fault


def test_an_engine_that_is_not_here_is_refused(ros):
    one = ros(providers="[cuda]")
    node = one.add(InferenceNode())
    assert not one.do(node, "configure")
    assert "onnxruntime-gpu" in node.fault


def test_it_serves_while_the_engine_is_built_and_says_what_serves(ros, until, double_gpu):
    machine = double_gpu(fault="build_slow:2")
    eye = Eye(ros, cuda=machine.binding, report_period=0.0)
    until(lambda: eye.show() and eye.results, "a result meanwhile", 60)

    def mine(level):
        status = [s for d in eye.diagnostics for s in d.status if s.name == "inference" and s.level == level]
        return [(s.message, {v.key: v.value for v in s.values}["engine"]) for s in status]

    until(lambda: eye.show() and mine(DiagnosticStatus.WARN), "a warning", 30)
    message, engine = mine(DiagnosticStatus.WARN)[-1]
    assert "no engine" in message or "is made" in message
    assert engine.startswith("ONNX Runtime")
    until(
        lambda: eye.show() and any("TensorRT" in engine for _, engine in mine(DiagnosticStatus.OK)), "the engine", 120
    )
    eye.results.clear()
    until(lambda: eye.show() and eye.results, "a result of the engine", 30)
    assert not eye.errors()


class Eyes:
    """An active inference node and a camera for each of its names."""

    def __init__(self, ros, *names, **parameters):
        self.ros = ros(cameras=f"[{', '.join(names)}]", **parameters)
        self.node = self.ros.add(InferenceNode())
        self.results = {name: self.ros.listen(InferenceResult, f"{name}/inference/results") for name in names}
        self.diagnostics = self.ros.listen(DiagnosticArray, "/diagnostics")
        self._cameras = {
            name: self.ros.probe.create_publisher(Image, f"{name}/camera/image_raw", SENSOR) for name in names
        }
        assert self.ros.do(self.node, "configure"), self.node.fault
        assert self.ros.do(self.node, "activate")

    def show(self, name):
        stamp = self.node.get_clock().now().nanoseconds
        frame = Frame(FrameHeader(stamp, 0, f"{name}_optical", 0, 320, 240), np.full((240, 320, 3), 127, np.uint8))
        self._cameras[name].publish(images.image_to_msg(frame))

    def state(self):
        """The last diagnostics of the node: its message and its values."""
        mine = [s for d in self.diagnostics for s in d.status if s.name == "inference"]
        return (mine[-1].message, {pair.key: pair.value for pair in mine[-1].values}) if mine else ("", {})


def test_each_camera_gets_its_results_in_its_own_namespace(ros, until):
    eyes = Eyes(ros, "front", "rear")
    until(lambda: eyes.show("front") or eyes.show("rear") or all(eyes.results.values()), "results of both", 30)
    for name, results in eyes.results.items():
        assert {result.header.frame_id for result in results} == {f"{name}_optical"}
    until(lambda: eyes.state()[0] == "active", "diagnostics")
    assert int(eyes.state()[1]["front: processed"]) >= 1


def test_a_camera_that_never_sends_is_named_and_holds_nobody_up(ros, until):
    eyes = Eyes(ros, "front", "broken", camera_priorities="[0, 9]")
    until(lambda: eyes.show("front") or len(eyes.results["front"]) >= 5, "results of the other", 30)
    until(lambda: "waiting for images on /broken/camera/image_raw" in eyes.state()[0], "diagnostics")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"cameras": "[front, front]"}, "'cameras' must have different names"),
        ({"cameras": "[front, rear]", "camera_weights": "[1.0, 2.0, 3.0]"}, "'camera_weights' has 3 values"),
        ({"cameras": "['../rear']"}, "namespaces like front or left/upper"),
    ],
)
def test_cameras_that_make_no_sense_are_refused(ros, parameters, words):
    ros(**parameters)
    with pytest.raises(ParameterError, match=words):
        InferenceNode()
