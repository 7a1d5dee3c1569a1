import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.capture.synthetic import Scene, read_index, write_index
from edge_ai.core.errors import EndOfSource, SourceError


@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_a_number_written_is_read_back_even_through_jpeg(index: int, value: int) -> None:
    image = np.full((32, 160, 3), value, np.uint8)
    write_index(image, index)
    assert read_index(image) == index
    assert read_index(image[:, :, 0]) == index
    jpeg = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)
    assert read_index(jpeg) == index


def test_a_picture_without_a_number_or_with_a_damaged_one_has_none() -> None:
    image = np.zeros((32, 160, 3), np.uint8)
    assert read_index(image) is None
    assert read_index(image[:10]) is None
    write_index(image, 1000)
    image[4, 4] = 255
    assert read_index(image) == 1000
    image[:8, :8] = 255 - image[:8, :8]
    assert read_index(image) is None


def test_pictures_depend_on_their_index_alone() -> None:
    forwards, backwards = Scene(320, 240), Scene(320, 240)
    pictures = [forwards.picture(i) for i in range(40)]
    for i in reversed(range(40)):
        np.testing.assert_array_equal(backwards.picture(i), pictures[i])


def test_shapes_move_and_stay_inside() -> None:
    scene = Scene(160, 120)
    first = scene.picture(0).copy()
    assert all((scene.picture(i)[24:] != first[24:]).any() for i in range(1, 300))


def test_a_picture_held_is_never_drawn_over() -> None:
    scene = Scene(160, 120)
    held = {i: scene.picture(i) for i in range(8)}
    part = scene.picture(8)[:24, :128]
    for i in range(100, 200):
        scene.picture(i)
    assert [read_index(picture) for picture in held.values()] == list(held)
    assert read_index(part) == 8


def test_buffers_let_go_are_used_again() -> None:
    scene = Scene(160, 120)
    held = scene.picture(0)
    addresses = {scene.picture(i).ctypes.data for i in range(1, 50)}
    assert len(addresses) == 1
    assert held.ctypes.data not in addresses


def test_pictures_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Scene(160, 120).picture(0)[0, 0] = 1


def test_the_address_decides_before_the_parameters() -> None:
    with create_source(CameraParams(source="synthetic://200x150@50?frames=3", width=999, fps=9.0)) as source:
        frames = [source.read() for _ in range(3)]
        with pytest.raises(EndOfSource, match="after 3 frames"):
            source.read()
    assert source.fps == 50.0
    assert [(f.index, f.due_s, f.image.shape) for f in frames] == [(i, i / 50, (150, 200, 3)) for i in range(3)]


def test_parameters_decide_where_the_address_is_silent() -> None:
    with create_source(CameraParams(source="synthetic", width=176, height=144, fps=12.0)) as source:
        assert source.read().image.shape == (144, 176, 3)
        assert source.fps == 12.0


@pytest.mark.parametrize(
    "wrong",
    [
        "synthetic://20x20",
        "synthetic://big",
        "synthetic://320x240@0",
        "synthetic://?colour=red",
        "synthetic://?frames=x",
    ],
)
def test_malformed_addresses_are_refused(wrong: str) -> None:
    with pytest.raises(SourceError, match="synthetic camera"):
        create_source(CameraParams(source=wrong)).open()
