import numpy as np
import pytest

from edge_ai.core.types import Classification, Detections, FrameHeader, Result, Segmentation
from edge_ai.recording.differences import Totals, difference

HEADER = FrameHeader(1, 1, "camera", 0, 100, 100)


def result(*found, labels=("cat", "dog"), **parts):
    boxes = np.array([box for box, _, _ in found], np.float32).reshape(-1, 4)
    ids = np.array([number for _, number, _ in found], np.int32)
    scores = np.array([score for _, _, score in found], np.float32)
    return Result(HEADER, Detections(boxes, scores, ids, labels), "model", "1", **parts)


def test_the_same_twice_is_no_difference():
    one = result(((0, 0, 10, 10), 0, 0.9), ((50, 50, 90, 90), 1, 0.5))
    found = difference(one, one)
    assert found.size == 0
    assert [pair[:2] for pair in found.pairs] == [(0, 0), (1, 1)]


def test_those_that_overlap_most_belong_together():
    one = result(((0, 0, 10, 10), 0, 0.9), ((2, 0, 12, 10), 0, 0.8))
    other = result(((2, 0, 12, 10), 0, 0.7), ((60, 60, 70, 70), 0, 0.6))
    found = difference(one, other, 0.3)
    assert [pair[:2] for pair in found.pairs] == [(1, 0)]
    assert (found.missed, found.added) == ((0,), (1,))


def test_another_class_is_another_thing_and_names_count_not_numbers():
    one = result(((0, 0, 10, 10), 0, 0.9))
    assert difference(one, result(((0, 0, 10, 10), 1, 0.9))).size == 2
    assert difference(one, result(((0, 0, 10, 10), 1, 0.9), labels=("dog", "cat"))).size == 0


@pytest.mark.parametrize(("overlap", "size"), [(0.5, 0), (0.7, 2)])
def test_overlap_decides(overlap, size):
    one, other = result(((0, 0, 10, 10), 0, 0.9)), result(((0, 0, 10, 6), 0, 0.9))
    assert difference(one, other, overlap).size == size


def test_nothing_on_either_side():
    assert difference(result(), result()).size == 0
    assert difference(result(), result(((0, 0, 1, 1), 0, 0.9))).added == (0,)
    assert difference(result(((0, 0, 1, 1), 0, 0.9)), result()).missed == (0,)


def test_other_tasks():
    cat, dog = (Classification(np.array([0.9], np.float32), np.array([i], np.int32), ("cat", "dog")) for i in (0, 1))
    assert difference(result(classification=cat), result(classification=cat)).size == 0
    assert difference(result(classification=cat), result(classification=dog)).size == 1
    mask = np.zeros((10, 10), np.uint8)
    other = mask.copy()
    other[0, :2] = 1
    assert difference(result(segmentation=Segmentation(mask)), result(segmentation=Segmentation(other))).size == 1


def test_totals():
    totals = Totals()
    one = result(((0, 0, 10, 10), 0, 0.9), ((50, 50, 90, 90), 1, 0.5))
    other = result(((0, 0, 10, 10), 0, 0.7), ((20, 20, 30, 30), 1, 0.5))
    totals.add(one, other, difference(one, other))
    totals.add(one, one, difference(one, one))
    assert (totals.compared, totals.same) == (2, 1)
    assert (totals.classes["dog"].both, totals.classes["dog"].missed, totals.classes["dog"].added) == (1, 1, 1)
    assert totals.score == pytest.approx(-0.2 / 3)
    assert totals.overlap == pytest.approx(1.0)
