"""The shared steps against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.processing.decode.common import before, cells, corners, logit, select, sigmoid, softmax, to_pixels


@given(seed=st.integers(0, 10_000), count=st.integers(0, 30), classes=st.integers(1, 5), threshold=st.floats(0, 1))
def test_select_as_a_loop_does_it(seed, count, classes, threshold):
    scores = np.random.default_rng(seed).random((count, classes), np.float32)
    wanted = []
    for i in range(count):
        best = max(range(classes), key=lambda c, i=i: (scores[i, c], -c))
        if scores[i, best] >= np.float32(threshold):
            wanted.append((i, scores[i, best], best))
    for table, axis in ((scores, 1), (scores.T, 0), (np.ascontiguousarray(scores.T), 0)):
        rows, best, ids = select(table, np.float32(threshold), axis)
        assert list(zip(rows.tolist(), best.tolist(), ids.tolist(), strict=True)) == wanted


def test_sigmoid_and_its_inverse():
    values = np.array([-200, -3.5, 0, 0.25, 9, 200], np.float32)
    wanted = [1 / (1 + math.exp(-v)) if v > -100 else 0.0 for v in values.tolist()]
    np.testing.assert_allclose(sigmoid(values), wanted, atol=1e-7)
    assert logit(0.0) == -math.inf
    assert [1 / (1 + math.exp(-logit(p))) for p in (0.01, 0.5, 0.999)] == pytest.approx([0.01, 0.5, 0.999])
    assert (before("none", 0.3), before("sigmoid", 0.5)) == (0.3, 0.0)


def test_softmax_neither_overflows_nor_forgets_a_row():
    values = np.array([[[0, math.log(3)], [1000, 1000]], [[-1000, 0], [5, 5]]], np.float32)
    np.testing.assert_allclose(softmax(values), [[[0.25, 0.75], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]], atol=1e-6)


def test_corners_and_pixels():
    np.testing.assert_array_equal(corners(np.array([[10, 20, 4, 6]], np.float32)), [[8, 17, 12, 23]])
    np.testing.assert_array_equal(to_pixels(np.array([[0.5, 0.5, 1, 0.25]], np.float32), (64, 32)), [[32, 16, 64, 8]])


def test_cells_go_row_by_row_map_by_map_and_cover_what_strides_do_not_divide():
    points, strides = cells((40, 24), (16, 32), 0.5)
    wanted = [(x, y, 16) for y in (8, 24) for x in (8, 24, 40)] + [(16, 16, 32), (48, 16, 32)]
    assert [(*point, stride) for point, (stride,) in zip(points.tolist(), strides.tolist(), strict=True)] == wanted
    np.testing.assert_array_equal(cells((64, 64), (32,), 0.0)[0], [[0, 0], [32, 0], [0, 32], [32, 32]])


def test_a_score_at_the_threshold_is_in():
    rows, best, ids = select(np.array([[0.25, 0.5], [0.25, 0.49]], np.float32), 0.5)
    assert (rows.tolist(), best.tolist(), ids.tolist()) == ([0], [0.5], [1])
