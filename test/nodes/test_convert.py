import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")


from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.types import Detections, FrameHeader, Result
from edge_ai.msg import Detection, InferenceResult
from edge_ai.nodes import convert

CLOCK = ManualClock()


def test_a_result_survives_both_ways():
    found = Detections(
        np.array([[1, 2, 3, 4], [5, 6, 70, 80]], np.float32),
        np.array([0.9, 0.5], np.float32),
        np.array([2, 0], np.int32),
        ("person", "bicycle", "car"),
    )
    sent = Result(FrameHeader(999 * NS, 0, "camera", 7, 640, 480), found, "m", "1", timings={"infer": 0.02})
    back = convert.result_from_msg(convert.result_to_msg(sent, dropped=3), CLOCK)
    assert np.array_equal(back.detections.boxes, found.boxes)
    assert [back.detections.name(i) for i in range(2)] == ["car", "person"]
    assert (back.model_name, back.source, back.timings) == ("m", "edge", {"infer": 0.02})
    assert (back.header.stamp_ns, back.header.width, back.header.height) == (999 * NS, 640, 480)


def test_classes_without_numbers_keep_their_names():
    names = ["cat", "person", "cat"]
    message = InferenceResult(detections=[Detection(class_id=-1, class_name=n, x_max=1.0, y_max=1.0) for n in names])
    found = convert.result_from_msg(message, CLOCK).detections
    assert [found.name(i) for i in range(3)] == names
