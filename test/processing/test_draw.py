from __future__ import annotations

import numpy as np
import pytest

from edge_ai.core.errors import ImageError
from edge_ai.core.types import STOP, Detections, FrameHeader, Result, Velocity
from edge_ai.processing.draw import annotate, class_colour

AMBER = (0, 190, 255)
FULL = Velocity(0.3, 0.8)


def grey(width=768, height=576):
    return np.full((height, width, 3), 128, np.uint8)


def a_result(boxes=(), scores=None, classes=None, size=(768, 576)):
    count = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([0.8] * count if scores is None else scores, np.float32),
        np.array([0] * count if classes is None else classes, np.int32),
        ("person", "dog"),
    )
    return Result(FrameHeader(0, 0, "camera", 0, *size), found, "test", "1")


def where(picture, colour):
    """Rows and columns of the pixels of exactly this colour."""
    return np.nonzero((picture == np.array(colour, np.uint8)).all(axis=2))


def changed(picture, before):
    return np.nonzero((picture != before).any(axis=2))


def test_nothing_to_draw_is_a_copy():
    image = grey()
    picture = annotate(image, a_result())
    assert picture is not image
    np.testing.assert_array_equal(picture, image)


def test_never_writes_to_the_image():
    image = grey()
    image.setflags(write=False)
    box = [100, 100, 200, 300]
    picture = annotate(image, a_result([box]), target=box, command=Velocity(0.2, 0.1), age_s=0.05, state="STALE")
    assert (image == 128).all()
    assert picture.flags.writeable
    assert picture.dtype == np.uint8


def test_takes_a_view_that_is_not_contiguous():
    wide = np.full((576, 2 * 768, 3), 128, np.uint8)
    np.testing.assert_array_equal(
        annotate(wide[:, ::2], a_result([[100, 100, 200, 300]])), annotate(grey(), a_result([[100, 100, 200, 300]]))
    )


def test_outlines_every_box_in_the_colour_of_its_class():
    picture = annotate(grey(), a_result([[100, 100, 200, 300], [400, 200, 500, 400]], None, [0, 1]))
    for class_id, (x1, y1, x2, y2) in ((0, (100, 100, 200, 300)), (1, (400, 200, 500, 400))):
        colour = class_colour(class_id)
        middle = (y1 + y2) // 2
        assert tuple(picture[middle, x1]) == tuple(picture[middle, x2]) == colour
        assert tuple(picture[middle, (x1 + x2) // 2]) == (128, 128, 128)


def test_the_one_followed_stands_out():
    boxes = [[100, 100, 200, 300], [400, 200, 500, 400]]
    picture = annotate(grey(), a_result(boxes), target=[405, 205, 505, 405])
    assert tuple(picture[300, 400]) == AMBER
    assert tuple(picture[200, 100]) == class_colour(0)
    for none_of_them in ([600, 400, 700, 500], None):
        assert len(where(annotate(grey(), a_result(boxes), target=none_of_them), AMBER)[0]) == 0


@pytest.mark.parametrize(
    ("command", "across", "ahead"),
    [
        (Velocity(0.3, 0.0), 0, 1),
        (Velocity(-0.3, 0.0), 0, -1),
        (Velocity(0.0, 0.8), -1, 0),
        (Velocity(0.0, -0.8), 1, 0),
        (Velocity(0.3, 0.8), -1, 1),
    ],
)
def test_the_arrow_points_where_the_robot_goes(command, across, ahead):
    rows, columns = where(annotate(grey(), a_result(), command=command, fastest=FULL), AMBER)
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    centre = 576 - 44 - 10, 384
    for value, direction in ((middle[1] - centre[1], across), (centre[0] - middle[0], ahead)):
        assert abs(value) <= 2 if direction == 0 else value * direction > 8


def test_a_quicker_command_has_a_longer_arrow():
    sizes = [
        np.ptp(where(annotate(grey(), a_result(), command=Velocity(speed), fastest=FULL), AMBER)[0])
        for speed in (0.1, 0.2, 0.3, 9.0)
    ]
    assert sizes[0] < sizes[1] < sizes[2] == sizes[3]


def test_standing_still_has_no_arrow():
    picture = annotate(grey(), a_result(), command=STOP, fastest=FULL)
    assert len(where(picture, AMBER)[0]) == 0
    assert len(changed(picture, grey())[0]) > 1000


@pytest.mark.parametrize(("state", "channel"), [("FOLLOWING", 1), ("STALE", 2), ("EMERGENCY STOP", 2)])
def test_state_is_green_when_moving_and_red_otherwise(state, channel):
    corner = annotate(grey(), a_result(), state=state)[12:30, 12:60].reshape(-1, 3).astype(int)
    tinted = corner[(corner.max(axis=1) - corner.min(axis=1)) > 40]
    assert len(tinted) > 100
    assert (tinted.argmax(axis=1) == channel).all()


def test_age_is_in_the_top_right_corner():
    rows, columns = changed(annotate(grey(), a_result(), age_s=0.043), grey())
    assert columns.min() > 768 / 2
    assert rows.max() < 576 / 8


@pytest.mark.parametrize("size", [(416, 416), (768, 576), (1920, 1080)])
def test_lines_and_text_grow_with_the_picture(size):
    rows, _ = changed(annotate(grey(*size), a_result(size=size), age_s=0.043), grey(*size))
    part = np.ptp(rows) / np.hypot(*size)
    assert 0.02 < part < 0.04


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (64, 48), (4000, 3000)])
def test_any_size_can_be_drawn_on(size):
    width, height = size
    box = [0, 0, width, height]
    picture = annotate(
        grey(width, height), a_result([box]), target=box, command=Velocity(1, 1), age_s=99.0, state="MALFORMED"
    )
    assert picture.shape == (height, width, 3)


def test_draws_what_it_can_of_a_malformed_result():
    nan = float("nan")
    boxes = [[100, 100, 200, 300], [nan, 0, 10, 10], [-1e9, -1e9, 1e9, 1e9], [50, 50, 20, 20]]
    picture = annotate(
        grey(), a_result(boxes, [nan, 0.5, 0.5, 0.5]), command=Velocity(nan, nan), age_s=nan, state="MALFORMED"
    )
    assert tuple(picture[200, 100]) == class_colour(0)


@pytest.mark.parametrize(
    "image", [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 4), np.uint8), np.zeros((0, 10, 3), np.uint8),
              np.zeros((10, 10, 3), np.float32)]
)  # fmt: skip
def test_refuses_what_is_no_colour_image(image):
    with pytest.raises(ImageError, match=r"wanted uint8 \[height, width, 3\]"):
        annotate(image, a_result())


def test_classes_are_told_apart():
    assert len({class_colour(i) for i in range(80)}) == 80
