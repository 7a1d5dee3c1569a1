from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.control.zone import corners, reaches

RECTANGLE = corners([0.3, 0.8, 0.7, 1.0])
TRAPEZE = corners([0.4, 0.6, 0.6, 0.6, 1.0, 1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0.4, 0.2, 0.5, 0.9], True),
        ([0.4, 0.2, 0.5, 0.8], True),
        ([0.4, 0.2, 0.5, 0.79], False),
        ([0.0, 0.2, 0.29, 0.9], False),
        ([0.0, 0.2, 0.3, 0.9], True),
        ([0.71, 0.2, 0.9, 1.0], False),
        ([0.0, 0.0, 1.0, 1.0], True),
        ([0.0, 0.0, 1.0, 0.85], True),
    ],
)
def test_rectangle(box, expected):
    assert reaches(box, RECTANGLE) is expected


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0.45, 0.1, 0.55, 0.61], True),
        ([0.45, 0.1, 0.55, 0.59], False),
        ([0.0, 0.1, 0.2, 0.79], False),
        ([0.0, 0.1, 0.2, 0.81], True),
        ([0.9, 0.1, 1.0, 0.89], False),
        ([0.9, 0.1, 1.0, 0.91], True),
    ],
)
def test_polygon_cut_by_the_box(box, expected):
    assert reaches(box, TRAPEZE) is expected


def test_what_is_nearer_than_the_zone_counts():
    assert reaches([0.4, 0.1, 0.5, 0.95], corners([0.3, 0.5, 0.7, 0.6]))


def test_concave_polygon():
    notch = corners([0.0, 0.5, 0.2, 0.5, 0.2, 0.9, 0.8, 0.9, 0.8, 0.5, 1.0, 0.5, 1.0, 1.0, 0.0, 1.0])
    assert not reaches([0.3, 0.0, 0.7, 0.8], notch)
    assert reaches([0.3, 0.0, 0.7, 0.91], notch)
    assert reaches([0.1, 0.0, 0.7, 0.8], notch)


UNIT = st.floats(0, 1)


@given(UNIT, UNIT, st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_rectangle_and_its_corners_as_a_polygon_agree(left, bottom, width, further):
    box = [left, 0.0, left + width, bottom]
    assert reaches(box, RECTANGLE) == (left <= 0.7 and left + width >= 0.3 and bottom >= 0.8)
    lower = [left, 0.0, left + width, bottom + further]
    assert reaches(lower, TRAPEZE) or not reaches(box, TRAPEZE)
