"""Real models of every family (tools/models.py) through the real inference node: what it publishes of real pictures."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

import cv2
from sensor_msgs.msg import Image

from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import InferenceResult
from edge_ai.nodes import images
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import NEWEST, SENSOR

OUT = Path(__file__).resolve().parents[2] / "out"


@pytest.fixture
def look(ros, until):
    """Start an inference node on a real model and show it a real picture until there is a result and a drawing."""

    def first(name, picture):
        card, path = OUT / "models" / name / "card.yaml", OUT / "data" / "pictures" / f"{picture}.png"
        for file, asked in ((card, name), (path, "pictures")):
            if not file.is_file():
                pytest.skip(f"no {file}: python tools/models.py {asked}")
        image = cv2.imread(str(path))
        height, width = image.shape[:2]
        it = ros(**{"inference:model": card})
        node = it.add(InferenceNode())
        results = it.listen(InferenceResult, "inference/results", NEWEST)
        drawings = it.listen(Image, "inference/annotated", SENSOR)
        camera = it.probe.create_publisher(Image, "camera/image_raw", SENSOR)
        assert it.do(node, "configure"), node.fault
        assert it.do(node, "activate")

        def show():
            stamp = node.get_clock().now().nanoseconds
            camera.publish(images.image_to_msg(Frame(FrameHeader(stamp, 0, "eye", 0, width, height), image)))
            return True

        until(lambda: show() and results and drawings, "a result and a drawing", 60)
        drawn = np.frombuffer(drawings[0].data, np.uint8).reshape(height, width, 3)
        assert (drawn != image).any(), "something was drawn"
        assert results[0].model_name == name
        return results[0]

    return first


def test_a_face_with_its_landmarks(look):
    (face,) = look("centerface", "astronaut").detections
    assert face.class_name == "face"
    at = {point.name: (point.x, point.y) for point in face.keypoints}
    assert at["nose"] == pytest.approx((225, 126), abs=8)
    assert at["left_eye"] == pytest.approx((202, 101), abs=8)


def test_the_classes_of_a_picture(look):
    result = look("efficientnet_lite0", "coffee")
    assert (result.classifications[0].class_name, len(result.detections)) == ("espresso", 0)
    assert result.classifications[0].score > 0.8


@pytest.mark.parametrize("name", ["centernet_512", "ssd_mobilenet_v2"])
def test_objects(look, name):
    person = look(name, "astronaut").detections[0]
    assert person.class_name == "person"
    assert (person.x_min, person.y_min, person.x_max, person.y_max) == pytest.approx((15, 15, 365, 511), abs=25)


def test_a_mask_of_a_person(look):
    mask = look("selfie", "astronaut").segmentation
    assert (mask.encoding, mask.width, mask.height) == ("mono8", 512, 512)
    person = np.frombuffer(mask.data, np.uint8).reshape(512, 512)
    assert person[90:160, 190:260].all(), "her face"
    assert not person[:200, 350:].any(), "the wall and the shuttle"


def test_a_person_with_a_skeleton(look):
    (person,) = look("movenet_multipose", "astronaut").detections
    at = {point.name: (point.x, point.y) for point in person.keypoints}
    assert (person.class_name, len(at)) == ("person", 17)
    assert at["left_eye"] == pytest.approx((247, 103), abs=10)
