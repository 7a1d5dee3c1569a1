from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.control.follow import bearing, follow
from edge_ai.control.params import ControlParams
from edge_ai.core.types import FrameHeader

HEADER = FrameHeader(0, 0, "camera", 0, 640, 480)
PARAMS = ControlParams()


def box(centre: float, height: float) -> list[float]:
    return [centre - 20, 100, centre + 20, 100 + height]


def test_bearing_is_that_of_a_pinhole_camera():
    assert bearing(box(320, 50), 640, 1.2) == 0
    assert bearing(box(0, 50), 640, 1.2) == pytest.approx(0.6)
    assert bearing(box(640, 50), 640, 1.2) == pytest.approx(-0.6)
    # A camera of 90 degrees sees 320 px of half width at a focal length of 320 px.
    assert bearing(box(160, 50), 640, math.pi / 2) == pytest.approx(math.atan2(160, 320))


def test_turns_left_for_somebody_on_the_left():
    assert follow(box(100, 200), HEADER, PARAMS).angular > 0
    assert follow(box(540, 200), HEADER, PARAMS).angular < 0


def test_drives_by_the_height_missing():
    velocity = follow(box(320, 0.3 * 480), HEADER, PARAMS.changed(linear_gain=2.0, target_height=0.7))
    assert velocity.linear == pytest.approx(2.0 * 0.4)
    assert velocity.angular == 0


def test_stands_where_it_is_near_enough():
    assert follow(box(320, PARAMS.target_height * 480), HEADER, PARAMS).linear == 0
    assert follow(box(320, 479), HEADER, PARAMS).linear == 0


def test_reverses_only_when_allowed():
    assert follow(box(320, 479), HEADER, PARAMS.changed(allow_reverse=True)).linear < 0


def test_dead_bands():
    params = PARAMS.changed(bearing_dead_band=0.2, height_dead_band=0.1, target_height=0.5)
    assert follow(box(380, 0.45 * 480), HEADER, params).angular == 0
    assert follow(box(380, 0.45 * 480), HEADER, params).linear == 0
    assert follow(box(600, 0.3 * 480), HEADER, params).angular != 0
    assert follow(box(600, 0.3 * 480), HEADER, params).linear > 0


@given(st.floats(0, 620), st.floats(0.1, 3.0))
def test_a_mirrored_image_turns_the_other_way(left, fov):
    mirrored = bearing([640 - left - 20, 0, 640 - left, 9], 640, fov)
    assert bearing([left, 0, left + 20, 9], 640, fov) == pytest.approx(-mirrored)
