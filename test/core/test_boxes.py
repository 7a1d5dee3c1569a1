"""How far boxes overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.boxes import iou, ious


def test_iou():
    box = (0.0, 0.0, 10.0, 10.0)
    assert iou(box, box) == 1
    assert iou(box, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)
    assert iou(box, (20.0, 20.0, 30.0, 30.0)) == iou(box, (10.0, 0.0, 20.0, 10.0)) == 0


corner = st.floats(0, 100)


@given(corner, corner, st.floats(1, 50), st.floats(1, 50), corner, corner, st.floats(1, 50), st.floats(1, 50))
def test_iou_is_symmetric_and_bounded(x, y, w, h, u, v, p, q):
    a, b = (x, y, x + w, y + h), (u, v, u + p, v + q)
    assert 0 <= iou(a, b) <= 1
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert iou(a, a) == pytest.approx(1)


@given(st.lists(st.tuples(corner, corner, st.floats(1, 50), st.floats(1, 50)), min_size=2, max_size=6))
def test_all_pairs_at_once_are_as_one_by_one(rows):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in rows], np.float32)
    expected = [[iou(a, b) for b in boxes[1:].tolist()] for a in boxes[:1].tolist()]
    assert ious(boxes[:1], boxes[1:]) == pytest.approx(np.array(expected), abs=1e-6)
    assert ious(boxes[:0], boxes).shape == (0, len(boxes))
