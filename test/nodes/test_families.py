"""Every task through the real inference node, with a tiny model made on the spot for each; and none but those that find
objects move a robot."""

import hashlib

import numpy as np
import onnx
import pytest
import yaml

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from geometry_msgs.msg import Twist
from onnx import TensorProto, helper, numpy_helper
from sensor_msgs.msg import Image

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import ControlStatus, InferenceResult
from edge_ai.nodes import images
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import NEWEST, SENSOR

POSE = [0.25, 0.25, 0.9, 0.75, 0.25, 0.8, 0.0, 0.125, 1.0, 0.5]  # hip y, x, score; knee; box y1, x1, y2, x2


def floats(name, values):
    return numpy_helper.from_array(np.array(values, np.float32), name)


def whole(name, values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def classifier():
    """Grey, 0 to 1: how dark, how bright."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Reshape", ["mean", "flat"], ["bright"]),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Concat", ["dark", "bright"], ["scores"], axis=1),
    ]
    card = {"input": {"layout": "nchw", "resize": "stretch"}, "decoder": {"family": "classifier"}}
    constants = [whole("flat", [1, 1]), floats("one", [[1]])]
    return nodes, constants, {"scores": [1, 2]}, {**card, "task": "classification", "labels": ["dark", "bright"]}


def segmenter():
    """Grey, channels last: each pixel's own brightness."""
    card = {"input": {"layout": "nhwc"}, "decoder": {"family": "segmenter", "layout": "nhwc"}, "score_threshold": 0.6}
    card |= {"task": "segmentation", "labels": ["background", "bright"]}
    return [helper.make_node("Identity", ["x"], ["scores"])], [], {"scores": [1, 32, 32, 1]}, card


def poses():
    """Colours as whole numbers, channels last: one person, scored by how bright the picture is."""
    nodes = [
        helper.make_node("Cast", ["x"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["pixels"], ["most"], keepdims=1),
        helper.make_node("Reshape", ["most", "flat"], ["top"]),
        helper.make_node("Div", ["top", "full"], ["score"]),
        helper.make_node("Concat", ["person", "score"], ["rows"], axis=2),
    ]
    constants = [floats("person", [[POSE]]), whole("flat", [1, 1, 1]), floats("full", [255])]
    card = {"input": {"layout": "nhwc", "dtype": "int32", "color": "rgb"}, "decoder": {"family": "pose_rows"}}
    card |= {"task": "keypoints", "labels": ["person"], "keypoints": ["left_hip", "left_knee"]}
    return nodes, constants, {"rows": [1, 1, 11]}, card


def centernet():
    """Grey: an object of 8 x 4 px of the input wherever it is brightest."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["heatmap"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Identity", ["size"], ["sizes"]),
    ]
    sizes = np.stack([np.full((8, 8), 2), np.full((8, 8), 1)])[np.newaxis]
    card = {"input": {"layout": "nchw", "resize": "stretch"}, "decoder": {"family": "centernet", "center_offset": 0.5}}
    shapes = {"heatmap": [1, 1, 8, 8], "sizes": [1, 2, 8, 8]}
    return nodes, [floats("size", sizes)], shapes, {**card, "task": "detection", "labels": ["lamp"]}


@pytest.fixture
def make_card(tmp_path):
    """Write a model and its card; gives the card's path."""

    def make(family):
        nodes, constants, outputs, card = family()
        spec = {"name": "x", "size": [32, 32], "color": "gray", **card["input"]}
        if spec.get("dtype") != "int32":
            spec["scale"] = 1 / 255
        channels = 3 if spec["color"] == "rgb" else 1
        shape = [1, channels, 32, 32] if spec["layout"] == "nchw" else [1, 32, 32, channels]
        kind = TensorProto.INT32 if spec.get("dtype") == "int32" else TensorProto.FLOAT
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in outputs.items()],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        data = model.SerializeToString()
        (tmp_path / "tiny.onnx").write_bytes(data)
        values = {
            "name": "tiny",
            "version": "1",
            "file": "tiny.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "licence": "Apache-2.0",
            "source": "made by a test",
            "outputs": {name: name for name in outputs},
            "score_threshold": 0.25,
            **card,
            "input": spec,
        }
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return path

    return make


def picture():
    """Black, with a white rectangle of 80 x 60 px right of the middle: 1 / 8 of 320 x 120."""
    image = np.zeros((120, 320, 3), np.uint8)
    image[30:90, 200:280] = 255
    return image


@pytest.fixture
def eye(ros, until, make_card):
    """Start an inference node on a tiny model; gives a way to show it pictures until a topic has one."""

    class Eye:
        def __init__(self, family, **parameters):
            self.ros = ros(**{"inference:model": make_card(family)}, **parameters)
            self.node = self.ros.add(InferenceNode())
            self._camera = self.ros.probe.create_publisher(Image, "camera/image_raw", SENSOR)
            assert self.ros.do(self.node, "configure"), self.node.fault
            assert self.ros.do(self.node, "activate")

        def show(self):
            stamp = self.node.get_clock().now().nanoseconds
            self._camera.publish(images.image_to_msg(Frame(FrameHeader(stamp, 0, "eye", 0, 320, 120), picture())))
            return True

        def first(self, kind, topic, qos=NEWEST):
            got = self.ros.listen(kind, topic, qos)
            until(lambda: self.show() and got, f"a message on {topic}", 30)
            return got[0]

    return Eye


def test_a_classifier(eye):
    it = eye(classifier)
    result = it.first(InferenceResult, "inference/results")
    assert [(c.class_id, c.class_name) for c in result.classifications] == [(0, "dark")]
    assert result.classifications[0].score == pytest.approx(7 / 8, abs=0.02)
    assert (len(result.detections), result.segmentation.height) == (0, 0)
    drawn = it.first(Image, "inference/annotated", SENSOR)
    assert (drawn.width, drawn.height) == (320, 120)


def test_a_classifier_reports_the_classes_asked_for_and_may_find_none(eye):
    result = eye(classifier, **{"inference:classes": "[bright]"}).first(InferenceResult, "inference/results")
    assert (len(result.classifications), len(result.detections)) == (0, 0)


def test_a_segmenter_with_its_mask_on_a_topic_of_its_own(eye):
    it = eye(segmenter)
    result = it.first(InferenceResult, "inference/results")
    mask = it.first(Image, "inference/segmentation")
    for message in (result.segmentation, mask):
        assert (message.encoding, message.width, message.height) == ("mono8", 320, 120)
        assert message.header.frame_id == "eye"
        got = np.frombuffer(message.data, np.uint8).reshape(120, 320)
        white = picture()[:, :, 0] > 0
        assert (got == white).mean() > 0.97, "a cell is 10 x 10 px: the edge may be a little off"
        assert got[60, 240] == 1
    drawn = it.first(Image, "inference/annotated", SENSOR)
    pixels = np.frombuffer(drawn.data, np.uint8).reshape(120, 320, 3)
    assert len(set(pixels[60, 240].tolist())) > 1, "white is tinted"


def test_people_with_keypoints(eye):
    result = eye(poses).first(InferenceResult, "inference/results")
    (person,) = result.detections
    assert (person.class_name, person.score) == ("person", pytest.approx(1.0))
    # The picture is 32 x 12 in the middle of 32 x 32: 10 px a pixel, 10 px down.
    box = (person.x_min, person.y_min, person.x_max, person.y_max)
    assert box == pytest.approx((40, 0, 160, 120))
    points = [(k.name, k.x, k.y, k.score) for k in person.keypoints]
    assert points[0] == ("left_hip", pytest.approx(80), pytest.approx(-20), pytest.approx(0.9))
    assert points[1] == ("left_knee", pytest.approx(80), pytest.approx(140), pytest.approx(0.8))


def test_peaks_of_a_heatmap(eye):
    result = eye(centernet).first(InferenceResult, "inference/results")
    assert {lamp.class_name for lamp in result.detections} == {"lamp"}
    # Cells of 40 x 15 px: all that the rectangle touches are as bright and have a box of 80 x 15 px each.
    assert (result.detections[0].x_max - result.detections[0].x_min) == pytest.approx(80)
    assert (result.detections[0].y_max - result.detections[0].y_min) == pytest.approx(15)
    assert all(lamp.x_min >= 160 and lamp.x_max <= 320 for lamp in result.detections)


@pytest.mark.parametrize("family", [classifier, segmenter])
def test_what_finds_no_objects_never_moves_a_robot(eye, until, family):
    it = eye(family, **{"control:follow_class": "'*'", "control:obstacle_classes": "['']"})
    control = it.ros.add(ControlNode())
    said, commands = it.ros.listen(ControlStatus, "control/status", 100), it.ros.listen(Twist, "cmd_vel")
    assert it.ros.do(control, "configure")
    assert it.ros.do(control, "activate")
    until(lambda: it.show() and said and said[-1].refused > 5, "results that are refused", 30)
    assert {status.state for status in said} <= {ControlStatus.STALE, ControlStatus.MALFORMED}
    assert "classifies or segments" in said[-1].reason
    assert commands
    assert all(c.linear.x == 0 and c.angular.z == 0 for c in commands)
