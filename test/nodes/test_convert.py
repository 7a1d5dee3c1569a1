import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")


from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation
from edge_ai.msg import Detection, InferenceResult, Keypoint
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


HEADER = FrameHeader(999 * NS, 0, "camera", 7, 4, 3)


def there_and_back(result):
    return convert.result_from_msg(convert.result_to_msg(result, dropped=0), CLOCK)


def test_keypoints_survive_both_ways():
    points = np.array([[[1, 2, 0.5], [-3, 4, 1]], [[5, 6, 0], [7, 8, 0.25]]], np.float32)
    boxes, scores, ids = np.ones((2, 4), np.float32), np.ones(2, np.float32), np.zeros(2, np.int32)
    found = Detections(boxes, scores, ids, ("person",), points, ("nose", "tail"))
    back = there_and_back(Result(HEADER, found, "m", "1")).detections
    assert np.array_equal(back.keypoints, points)
    assert (back.keypoints.dtype, back.keypoint_names) == (np.float32, ("nose", "tail"))
    plain = there_and_back(Result(HEADER, Detections(boxes, scores, ids, ("person",)), "m", "1")).detections
    assert (plain.keypoints, plain.keypoint_names) == (None, ())


def test_keypoints_that_do_not_match_are_none():
    one, two = Detection(keypoints=[Keypoint(name="nose")]), Detection(keypoints=[Keypoint(name="nose")] * 2)
    found = convert.result_from_msg(InferenceResult(detections=[one, two]), CLOCK).detections
    assert (len(found), found.keypoints) == (2, None)


def test_classes_survive_both_ways():
    found = Classification(np.array([0.75, 0.25], np.float32), np.array([2, 0], np.int32), ("cat", "dog", "cow"))
    back = there_and_back(Result(HEADER, Detections(), "m", "1", classification=found))
    assert (back.classification.scores.tolist(), back.classification.class_ids.tolist()) == ([0.75, 0.25], [2, 0])
    assert [back.classification.name(i) for i in range(2)] == ["cow", "cat"]
    assert (back.segmentation, len(back.detections)) == (None, 0)


def test_a_mask_survives_both_ways():
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    message = convert.result_to_msg(Result(HEADER, Detections(), "m", "1", segmentation=Segmentation(mask)), 0)
    sent = message.segmentation
    assert (sent.encoding, sent.width, sent.height, sent.step, sent.header) == ("mono8", 4, 3, 4, message.header)
    back = convert.result_from_msg(message, CLOCK)
    assert np.array_equal(back.segmentation.mask, mask)
    assert back.classification is None


@pytest.mark.parametrize("change", [{"encoding": "bgr8"}, {"step": 3}, {"height": 4}])
def test_a_torn_mask_is_no_result(change):
    message = convert.result_to_msg(
        Result(HEADER, Detections(), "m", "1", segmentation=Segmentation(np.zeros((3, 4), np.uint8))), 0
    )
    for name, value in change.items():
        setattr(message.segmentation, name, value)
    with pytest.raises(ImageError, match="mask"):
        convert.result_from_msg(message, CLOCK)
