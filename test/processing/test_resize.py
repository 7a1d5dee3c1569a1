"""Preprocessing against plain formulas, and boxes there and back."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.errors import ImageError, ModelError
from edge_ai.processing.resize import Placement, Preprocessor, place
from edge_ai.processing.spec import InputSpec

MEAN, STD = [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]


def spec(**changes):
    return InputSpec(**{"name": "x", "layout": "nchw", "size": [32, 24], "color": "bgr", **changes})


def run(input_spec, image, encoding="bgr8"):
    out = np.full(input_spec.shape, 77, input_spec.dtype)
    placement = Preprocessor(input_spec).prepare(image, encoding, out)
    return out, placement


def picture(width, height, channels=3, seed=0):
    """A smooth random picture, so that bilinear sampling has something to do everywhere."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, channels))
    return bilinear(coarse, width, height).round().astype(np.uint8)


def bilinear(image, width, height):
    """Plain bilinear resizing in float64: pixel centres at half coordinates, edges repeated."""

    def samples(length, count):
        at = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
        low = np.floor(at).astype(int)
        return low, np.minimum(low + 1, length - 1), at - low

    top, bottom, down = samples(image.shape[0], height)
    left, right, along = samples(image.shape[1], width)
    rows = image[top] * (1 - down[:, None, None]) + image[bottom] * down[:, None, None]
    return rows[:, left] * (1 - along[:, None]) + rows[:, right] * along[:, None]


def reference(image, input_spec, left, top, width, height):
    """What the input should hold, in float64: resized, bordered, normalised, (H, W, C)."""
    full_width, full_height = input_spec.size
    pixels = np.full((full_height, full_width, 3), input_spec.pad_value, np.float64)
    pixels[top : top + height, left : left + width] = bilinear(image, width, height)
    if input_spec.color == "rgb":
        pixels = pixels[:, :, ::-1]
    return (pixels * input_spec.scale - np.array(input_spec.mean)) / np.array(input_spec.std)


FITTED = [
    # source size, rule, then left, top, width, height of the picture in 32 x 24
    ((64, 48), {}, (0, 0, 32, 24)),
    ((64, 36), {}, (0, 3, 32, 18)),
    ((50, 100), {}, (10, 0, 12, 24)),
    ((50, 100), {"align": "top_left"}, (0, 0, 12, 24)),
    ((50, 100), {"resize": "stretch"}, (0, 0, 32, 24)),
    ((20, 10), {"pad_value": 0}, (0, 4, 32, 16)),
    ((1000, 1), {}, (0, 11, 32, 1)),
]


@pytest.mark.parametrize(("source", "rule", "inside"), FITTED)
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_input_is_what_the_formula_says(source, rule, inside, layout, color):
    input_spec = spec(layout=layout, color=color, mean=MEAN, std=STD, **rule)
    image = picture(*source)
    out, placement = run(input_spec, image)
    got = out[0].transpose(1, 2, 0) if layout == "nchw" else out[0]
    # OpenCV interpolates 8-bit pixels in fixed point: one grey level at most.
    np.testing.assert_allclose(got, reference(image, input_spec, *inside), atol=1.01 / min(STD))
    left, top, width, height = inside
    assert placement == Placement(width / source[0], height / source[1], left, top, *source)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("color", ["bgr", "gray"])
def test_normalisation_is_exact(dtype, layout, color):
    count = 3 if color == "bgr" else 1
    input_spec = spec(dtype=dtype, layout=layout, color=color, scale=1 / 255, mean=MEAN[:count], std=STD[:count])
    shape = (24, 32, 3) if count == 3 else (24, 32)
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    out, _ = run(input_spec, image, "bgr8" if count == 3 else "mono8")
    pixels = image.reshape(24, 32, count).astype(np.float64)
    wanted = ((pixels * (1 / 255) - np.array(MEAN[:count])) / np.array(STD[:count])).astype(dtype)
    np.testing.assert_array_equal(out[0], wanted.transpose(2, 0, 1) if layout == "nchw" else wanted)
    assert out.dtype == dtype


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize(
    ("color", "encoding"), list(itertools.product(["bgr", "rgb", "gray"], ["bgr8", "rgb8", "mono8"]))
)
def test_bytes_pass_unchanged_in_the_right_order(dtype, layout, color, encoding):
    rng = np.random.default_rng(2)
    shape = (24, 32) if encoding == "mono8" else (24, 32, 3)
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    out, _ = run(spec(dtype=dtype, layout=layout, color=color), image, encoding)
    got = out[0].transpose(1, 2, 0) if layout == "nchw" else out[0]
    if encoding == "mono8":
        wanted = np.repeat(image[..., None], got.shape[2], axis=2)
    elif color == "gray":
        red_last = image if encoding == "bgr8" else image[:, :, ::-1]
        wanted = (red_last @ [0.114, 0.587, 0.299])[..., None]
    else:
        wanted = image if encoding.startswith(color) else image[:, :, ::-1]
    np.testing.assert_allclose(got.astype(float), wanted, atol=1 if color == "gray" and encoding != "mono8" else 0)


@pytest.mark.parametrize("encoding", ["bgra8", "rgba8", "yuyv", "uyvy", "nv12", "nv21", "mono16", "bayer_rggb8"])
def test_an_evenly_coloured_image_of_any_encoding_is_even_in_the_input(encoding):
    channels = {"bgra8": (4,), "rgba8": (4,), "yuyv": (2,), "uyvy": (2,)}.get(encoding, ())
    rows = 72 if encoding.startswith("nv") else 48
    image = np.full((rows, 64, *channels), 128, np.uint8)
    wanted = 128  # grey; in YUV of limited range: (128 - 16) * 255 / 219
    if encoding == "mono16":
        image = np.full((48, 64), 128 * 257, np.uint16)
    elif encoding[0] in "yun":
        wanted = (128 - 16) * 255 / 219
    out, placement = run(spec(), image, encoding)
    np.testing.assert_allclose(out, wanted, atol=1)
    assert (placement.width, placement.height, placement.scale_y) == (64, 48, 0.5)


def test_colours_of_four_channels_keep_their_order():
    image = np.zeros((24, 32, 4), np.uint8)
    image[:] = (10, 20, 30, 99)
    out, _ = run(spec(), image, "rgba8")
    assert [float(plane[0, 0]) for plane in out[0]] == [30, 20, 10]


def test_one_preprocessor_takes_sources_in_turn_and_leaves_no_trace_of_the_last():
    input_spec = spec(mean=MEAN, std=STD)
    preprocessor = Preprocessor(input_spec)
    sources = [(picture(w, h, seed=w), "bgr8") for w, h in [(64, 48), (48, 64), (32, 24), (50, 100)] * 2]
    sources += [(picture(w, 40, 1)[:, :, 0].copy(), "mono8") for w in range(30, 50)]
    for image, encoding in sources + sources[::-1]:
        out = np.full(input_spec.shape, np.nan, np.float32)
        placement = preprocessor.prepare(image, encoding, out)
        alone, alone_placement = run(input_spec, image, encoding)
        np.testing.assert_array_equal(out, alone)
        assert placement == alone_placement


def test_the_image_is_not_written_to_and_may_be_a_view():
    wide = picture(80, 48)
    before = wide.copy()
    view = wide[:, 8:72]
    view.flags.writeable = False
    out, _ = run(spec(), view)
    np.testing.assert_array_equal(out, run(spec(), view.copy())[0])
    np.testing.assert_array_equal(wide, before)


def test_one_slot_of_a_batch_can_be_filled():
    batch = np.zeros((3, 3, 24, 32), np.float32)
    Preprocessor(spec()).prepare(picture(32, 24), "bgr8", batch[1:2])
    assert batch[1].any()
    assert not batch[0].any()
    assert not batch[2].any()


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((1, 3, 32, 24), np.float32),
        np.zeros((1, 3, 24, 32), np.float64),
        np.zeros((1, 24, 32, 3), np.float32).transpose(0, 3, 1, 2),
    ],
)
def test_an_input_that_is_not_as_the_card_says_is_refused(out):
    with pytest.raises(
        ModelError, match=r"model input 'x': got .*wanted \[1, 3, 24, 32\] of float32, contiguous.*card"
    ):
        Preprocessor(spec()).prepare(picture(32, 24), "bgr8", out)


def test_an_image_that_is_none_is_refused():
    out = np.zeros((1, 3, 24, 32), np.float32)
    with pytest.raises(ImageError, match="not empty"):
        Preprocessor(spec()).prepare(np.zeros((0, 0, 3), np.uint8), "bgr8", out)
    with pytest.raises(ImageError, match="image encoding"):
        Preprocessor(spec()).prepare(picture(32, 24), "jpeg", out)


sides = st.integers(1, 4000)
parts = st.floats(0, 1)


@given(
    width=sides,
    height=sides,
    corners=st.lists(st.tuples(parts, parts, parts, parts), min_size=1, max_size=5),
    rule=st.sampled_from([{}, {"align": "top_left"}, {"resize": "stretch"}]),
    size=st.tuples(st.integers(16, 1280), st.integers(16, 1280)),
)
def test_boxes_come_back_to_where_they_were(width, height, corners, rule, size):
    placement, inside = place((width, height), spec(size=list(size), **rule))
    assert 1 <= inside[0] <= size[0]
    assert 1 <= inside[1] <= size[1]
    assert placement.offset_x + inside[0] <= size[0]
    assert placement.offset_y + inside[1] <= size[1]
    source = np.array(corners) * [width, height, width, height]
    scale = np.array([placement.scale_x, placement.scale_y] * 2)
    offset = np.array([placement.offset_x, placement.offset_y] * 2)
    back = placement.to_source((source * scale + offset).astype(np.float32))
    tolerance = 1e-3 + 1e-6 * 1280 / scale  # float32 of up to 1280 input pixels
    assert (abs(back - source) <= tolerance).all()
    assert back.dtype == np.float32


def test_boxes_are_clipped_to_the_source():
    placement = Placement(0.5, 0.5, 10, 0, 100, 60)
    boxes = placement.to_source(np.array([[0, -5, 90, 90], [20, 10, 30, 20]], np.float32))
    np.testing.assert_array_equal(boxes, [[0, 0, 100, 60], [20, 20, 40, 40]])
    assert placement.to_source(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_points_are_not_clipped():
    placement = Placement(0.5, 0.25, 10, 4, 100, 60)
    points = placement.points_to_source(np.array([[[0, 0], [20, 10]]], np.float32))
    np.testing.assert_array_equal(points, [[[-20, -16], [20, 24]]])
    assert points.dtype == np.float32
