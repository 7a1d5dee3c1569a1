"""Suppression against a plain double loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.processing.decode.base import RawDetections
from edge_ai.processing.nms import CANDIDATES, keep
from edge_ai.processing.spec import NmsSpec


def found(boxes, scores, classes=None):
    classes = [0] * len(scores) if classes is None else classes
    return RawDetections(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(classes, np.int32)
    )


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = width * height
    return area / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - area)


def plain(boxes, scores, classes, spec):
    kept = []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        rivals = [j for j in kept if spec.class_agnostic or classes[j] == classes[i]]
        if all(overlap(boxes[i], boxes[j]) <= spec.iou for j in rivals):
            kept.append(i)
    return kept[: spec.max_detections]


coordinate, length = st.integers(-20, 60), st.integers(1, 50)
detection = st.tuples(coordinate, coordinate, length, length, st.integers(0, 20), st.integers(0, 3))


@given(
    rows=st.lists(detection, max_size=40),
    iou=st.sampled_from([0.3137, 0.4519, 0.6143]),  # no ratio of small areas comes near these
    class_agnostic=st.booleans(),
    max_detections=st.sampled_from([1, 5, 100]),
)
def test_as_the_plain_loop_does_it(rows, iou, class_agnostic, max_detections):
    boxes = [(x, y, x + w, y + h) for x, y, w, h, _, _ in rows]
    scores, classes = [row[4] / 20 for row in rows], [row[5] for row in rows]
    pairs = [overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    if any(abs(value - iou) < 1e-6 for value in pairs):
        return
    spec = NmsSpec(iou=iou, class_agnostic=class_agnostic, max_detections=max_detections)
    assert keep(found(boxes, scores, classes), spec).tolist() == plain(boxes, scores, classes, spec)


TWO = [[0, 0, 100, 100], [5, 0, 105, 100]]  # overlap 95 / 105


@pytest.mark.parametrize(
    ("classes", "class_agnostic", "kept"), [([0, 0], False, [1]), ([0, 1], False, [1, 0]), ([0, 1], True, [1])]
)
def test_the_better_of_two_stays_and_other_classes_are_spared_unless_told(classes, class_agnostic, kept):
    assert keep(found(TWO, [0.6, 0.9], classes), NmsSpec(class_agnostic=class_agnostic)).tolist() == kept


def test_of_a_chain_the_ends_stay():
    chain = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]
    assert keep(found(chain, [0.9, 0.8, 0.7]), NmsSpec(iou=0.4)).tolist() == [0, 2]


def test_nothing_in_nothing_out():
    assert keep(found([], []), NmsSpec()).tolist() == []


def test_scores_of_zero_count():
    assert keep(found([[0, 0, 1, 1], [5, 5, 6, 6]], [0.0, 0.0]), NmsSpec()).tolist() == [0, 1]


def test_far_classes_and_large_images_do_not_blur_boxes():
    boxes = [[7000.25, 10, 7001.5, 12], [7000.25, 10, 7001.75, 12], [7000.25, 10, 7003.5, 12]]
    assert keep(found(boxes, [0.9, 0.8, 0.7], [9000] * 3), NmsSpec(iou=0.5)).tolist() == [0, 2]


def test_only_the_best_candidates_are_looked_at():
    count = CANDIDATES + 50
    boxes = [[3 * i, 0, 3 * i + 2, 2] for i in range(count)]
    scores = np.linspace(0.1, 0.9, count)
    kept = keep(found(boxes, scores), NmsSpec(max_detections=1000))
    assert kept.tolist() == list(range(count - 1, count - 1 - CANDIDATES, -1))
