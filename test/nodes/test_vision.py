import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")
pytest.importorskip("vision_msgs.msg", reason="vision_msgs is not installed (on a robot: rosdep brings it)")

from edge_ai.core.types import Classification, Detections, FrameHeader, Result
from edge_ai.nodes.vision import to_classification, to_detections


def test_a_result_reads_the_same_in_vision_msgs():
    found = Detections(
        np.array([[10, 20, 50, 100]], np.float32),
        np.array([0.75], np.float32),
        np.array([1], np.int32),
        ("cat", "person"),
    )
    message = to_detections(Result(FrameHeader(5_000_000_007, 0, "eye", 0, 640, 480), found, "m", "1"))
    assert (message.header.stamp.sec, message.header.stamp.nanosec, message.header.frame_id) == (5, 7, "eye")
    (detection,) = message.detections
    assert (detection.bbox.center.position.x, detection.bbox.center.position.y) == (30.0, 60.0)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (40.0, 80.0)
    assert detection.results[0].hypothesis.class_id == "person"
    assert detection.results[0].hypothesis.score == 0.75


def test_a_classifier_s_result_reads_the_same_in_vision_msgs():
    found = Classification(np.array([0.75, 0.25], np.float32), np.array([1, 0], np.int32), ("cat", "dog"))
    header = FrameHeader(5_000_000_007, 0, "eye", 0, 640, 480)
    message = to_classification(Result(header, Detections(), "m", "1", classification=found))
    assert (message.header.stamp.sec, message.header.frame_id) == (5, "eye")
    assert [(one.class_id, one.score) for one in message.results] == [("dog", 0.75), ("cat", 0.25)]
