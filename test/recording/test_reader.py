"""Answers of a recording, read back as they were."""

import numpy as np
import pytest

from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation
from edge_ai.recording import fields, messages
from edge_ai.recording.mcap_file import McapFile
from edge_ai.recording.reader import RecordingReader

HEADER = FrameHeader(1_500_000_007, 0, "camera", 7, 4, 3)
BOXES, SCORES = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32), np.array([0.75, 0.5], np.float32)


@pytest.fixture
def written(tmp_path):
    """Writes messages into a recording and reads its answers."""

    def write(*found):
        file = McapFile(tmp_path / "one.mcap")
        for number, data in enumerate(found):
            file.add("/inference/results", messages.RESULT, data, number, number)
        file.finish()
        return RecordingReader(file.path).results()

    return write


def there_and_back(written, **parts):
    result = Result(HEADER, **{"detections": Detections(), "model_name": "m", "model_version": "1", **parts})
    return written(messages.inference_result(result))[HEADER.stamp_ns]


def test_detections_with_keypoints(written):
    points = np.array([[[1, 2, 0.5], [-3, 4, 1]], [[5, 6, 0], [7, 8, 0.25]]], np.float32)
    found = Detections(BOXES, SCORES, np.array([2, 0], np.int32), ("cat", "dog", "cow"), points, ("nose", "tail"))
    back = there_and_back(written, detections=found, timings={"infer": 0.5}, source="cloud", reason="hedged")
    assert np.array_equal(back.detections.boxes, BOXES)
    assert [back.detections.name(i) for i in range(2)] == ["cow", "cat"]
    assert np.array_equal(back.detections.keypoints, points)
    assert back.detections.keypoint_names == ("nose", "tail")
    assert (back.source, back.reason, back.timings) == ("cloud", "hedged", {"infer": 0.5})


def test_classes_and_masks(written):
    classes = Classification(SCORES, np.array([2, 0], np.int32), ("cat", "dog", "cow"))
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    back = there_and_back(written, classification=classes, segmentation=Segmentation(mask))
    assert [back.classification.name(i) for i in range(2)] == ["cow", "cat"]
    assert np.array_equal(back.segmentation.mask, mask)


def test_a_torn_answer_is_left_out_and_the_others_are_read(written, caplog):
    torn = {"header": fields.header(1), "segmentation": {"height": 3, "width": 4, "step": 4, "encoding": "mono8"}}
    found = written(messages.encode(messages.RESULT, torn), messages.encode(messages.RESULT, {"model_name": "m"}))
    assert [one.model_name for one in found.values()] == ["m"]
    assert "left out: torn mask" in caplog.text
