from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge_ai.control.validate import fault
from edge_ai.core.types import Classification, Detections, Segmentation

GOOD = [10.0, 10.0, 50.0, 100.0]


def test_good_results_have_no_fault(make_result):
    assert fault(make_result()) == ""
    assert fault(make_result([GOOD, [0, 0, 640, 480]], [0.0, 1.0])) == ""
    assert fault(make_result([[-0.4, 0, 640.4, 480.4]])) == ""


@pytest.mark.parametrize(
    ("box", "score", "size", "words"),
    [
        (GOOD, 0.8, (0, 480), "the image measures 0 x 480 px"),
        (GOOD, 0.8, (640, -1), "the image measures 640 x -1 px"),
        (GOOD, float("nan"), (640, 480), "NaN"),
        ([10, 10, float("inf"), 100], 0.8, (640, 480), "infinite"),
        (GOOD, 1.2, (640, 480), "scores from 0.5 to 1.2"),
        (GOOD, -0.1, (640, 480), "scores from -0.1"),
        ([50, 10, 10, 100], 0.8, (640, 480), "box [50.0, 10.0, 10.0, 100.0] has no area"),
        ([10, 10, 50, 10], 0.8, (640, 480), "has no area"),
        ([600, 10, 700, 100], 0.8, (640, 480), "outside of 640 x 480 px"),
        ([-20, 10, 30, 100], 0.8, (640, 480), "outside"),
    ],
)
def test_says_what_is_wrong(make_result, box, score, size, words):
    result = make_result([GOOD, box], [0.5, score], size=size)
    assert words in fault(result)


@pytest.mark.parametrize(
    "answer",
    [{"classification": Classification()}, {"segmentation": Segmentation(np.zeros((480, 640), np.uint8))}],
    ids=["classification", "segmentation"],
)
def test_what_looks_for_no_objects_tells_of_no_obstacles_either(make_result, answer):
    for boxes in ([], [GOOD]):
        assert "neither targets nor obstacles" in fault(dataclasses.replace(make_result(boxes), **answer))


def test_arrays_that_do_not_match(make_result):
    found = Detections(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int32))
    assert "do not match" in fault(dataclasses.replace(make_result(), detections=found))


def test_a_result_without_a_capture_stamp(make_result):
    result = make_result()
    unstamped = dataclasses.replace(result, header=dataclasses.replace(result.header, stamp_ns=0))
    assert "no capture stamp" in fault(unstamped)
