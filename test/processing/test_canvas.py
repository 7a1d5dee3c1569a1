from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_ai.processing.canvas import Canvas


def canvas(width=768, height=576):
    return Canvas(np.full((height, width, 3), 128, np.uint8))


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 800), st.integers(-50, 600)), max_size=25))
def test_labels_never_overlap_and_stay_inside(corners):
    drawn, placed = canvas(), []
    for x, y in corners:
        corner = drawn.room("person 0.83", 0.5, [(x, y), (x, y + 40)], [])
        if corner is not None:
            placed.append(drawn.label("person 0.83", corner, 0.5, (0, 0, 0), (255, 255, 255), 0.8))
    assert all(apart(a, b) for a, b in combinations(placed, 2))
    assert all(x1 >= 0 and y1 >= 0 and x2 < 768 and y2 < 576 for x1, y1, x2, y2 in placed)


def test_room_keeps_off_what_is_to_be_avoided():
    drawn = canvas()
    places = [(100, 100), (300, 300)]
    assert drawn.room("dog", 0.5, places, []) == (100, 100)
    assert drawn.room("dog", 0.5, places, [(110, 105, 400, 200)]) == (300, 300)
    assert drawn.room("dog", 0.5, places, [(0, 0, 768, 576)]) is None
    drawn.take((90, 90, 120, 120))
    assert drawn.room("dog", 0.5, places, []) == (300, 300)


def test_room_moves_a_label_in_from_the_side():
    drawn = canvas()
    width, _ = drawn.label_size("person 0.83", 0.5)
    assert drawn.room("person 0.83", 0.5, [(-30, 10)], []) == (0, 10)
    assert drawn.room("person 0.83", 0.5, [(760, 10)], []) == (768 - width - 1, 10)
    assert canvas(20, 20).room("person 0.83", 0.5, [(0, 0)], []) is None


def test_lengths_follow_the_picture():
    assert canvas(768, 576).px(10) == 10
    assert canvas(1536, 1152).px(10) == 20
    assert canvas(10, 10).px(0.1) == 1


def test_a_panel_lets_the_picture_shine_through():
    drawn = canvas()
    drawn.panel((100, 100, 200, 150), (255, 255, 255), 0.5)
    assert drawn.picture[125, 150] == pytest.approx([192, 192, 192], abs=1)
    assert (drawn.picture[90, 150] == 128).all()
    assert (drawn.picture[100, 100] == 128).all(), "the corners are round"


@pytest.mark.parametrize("rect", [(-50, -50, -10, -10), (760, 570, 900, 700), (-5, -5, 5, 5), (10, 10, 10, 10)])
def test_a_panel_may_leave_the_picture(rect):
    canvas().panel(rect, (0, 0, 0), 0.5)


def test_an_arrow_ends_at_its_point():
    drawn = canvas()
    drawn.arrow((100, 300), (300, 300), (1, 2, 3), 4)
    rows, columns = np.nonzero((drawn.picture == (1, 2, 3)).all(axis=2))
    assert 295 <= columns.max() <= 302
    assert 95 <= columns.min() <= 100
    assert abs(rows.max() + rows.min() - 600) <= 1
    drawn.arrow((100, 300), (100, 300), (9, 9, 9), 4)
    assert not (drawn.picture == (9, 9, 9)).all(axis=2).any()
