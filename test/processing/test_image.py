"""Every encoding against values computed by hand, and images that are none."""

import cv2
import numpy as np
import pytest

from edge_ai.core.errors import ImageError
from edge_ai.processing.image import ENCODINGS, check_image, image_size, to_channels

B, G, R = 200, 120, 40
GRAY = round(0.299 * R + 0.587 * G + 0.114 * B)  # ITU-R BT.601 luma
WANTED = {"bgr": (B, G, R), "rgb": (R, G, B), "gray": (GRAY,)}

# BT.601 with limited range, as cameras send it.
Y = round(16 + (65.738 * R + 129.057 * G + 25.064 * B) / 256)
U = round(128 + (-37.945 * R - 74.494 * G + 112.439 * B) / 256)
V = round(128 + (112.439 * R - 94.154 * G - 18.285 * B) / 256)


def filled(shape, *values):
    return np.broadcast_to(np.array(values, np.uint8), (*shape, len(values))).copy()


def mosaic(pattern, shape=(8, 10)):
    """A Bayer image of one colour; the pattern names the first row's first two pixels, then the second's."""
    value = {"r": R, "g": G, "b": B}
    tile = np.array([value[c] for c in pattern], np.uint8).reshape(2, 2)
    return np.tile(tile, (shape[0] // 2, shape[1] // 2))


def semi_planar(first, second):
    image = np.empty((12, 10), np.uint8)
    image[:8] = Y
    image[8:, 0::2], image[8:, 1::2] = first, second
    return image


IMAGES = {
    "bgr8": filled((8, 10), B, G, R),
    "rgb8": filled((8, 10), R, G, B),
    "bgra8": filled((8, 10), B, G, R, 7),
    "rgba8": filled((8, 10), R, G, B, 7),
    "yuv422": filled((8, 5), U, Y, V, Y).reshape(8, 10, 2),
    "uyvy": filled((8, 5), U, Y, V, Y).reshape(8, 10, 2),
    "yuv422_yuy2": filled((8, 5), Y, U, Y, V).reshape(8, 10, 2),
    "yuyv": filled((8, 5), Y, U, Y, V).reshape(8, 10, 2),
    "nv12": semi_planar(U, V),
    "nv21": semi_planar(V, U),
    **{f"bayer_{pattern}8": mosaic(pattern) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
}


@pytest.mark.parametrize("color", WANTED)
@pytest.mark.parametrize("encoding", IMAGES)
def test_a_colour_comes_out_as_itself(encoding, color):
    result = to_channels(IMAGES[encoding], encoding, color)
    yuv = ENCODINGS[encoding].prefix == "YUV"
    wanted = (Y,) if yuv and color == "gray" else WANTED[color]  # OpenCV's gray of YUV is Y itself
    assert result.dtype == np.uint8
    assert result.shape == ((8, 10) if color == "gray" else (8, 10, 3))
    np.testing.assert_allclose(result.reshape(8, 10, -1), np.broadcast_to(wanted, (8, 10, len(wanted))), atol=2)


def test_every_encoding_is_tested():
    assert set(IMAGES) | {"mono8", "mono16"} == set(ENCODINGS)


@pytest.mark.parametrize("color", WANTED)
def test_grey_comes_out_as_itself(color):
    image = np.arange(80, dtype=np.uint8).reshape(8, 10)
    result = to_channels(image, "mono8", color)
    np.testing.assert_array_equal(result.reshape(8, 10, -1), np.repeat(image[..., None], len(WANTED[color]), axis=2))


def test_sixteen_bits_are_scaled_to_eight():
    image = np.array([[0, 257, 32768, 65535]], np.uint16)
    np.testing.assert_array_equal(to_channels(image, "mono16", "gray"), [[0, 1, 128, 255]])
    np.testing.assert_array_equal(to_channels(image, "mono16", "rgb")[0, :, 2], [0, 1, 128, 255])


def test_what_needs_no_conversion_is_not_copied():
    image = IMAGES["bgr8"]
    assert to_channels(image, "bgr8", "bgr") is image


def test_memory_given_is_used():
    memory = np.empty((8, 10, 3), np.uint8)
    assert np.shares_memory(to_channels(IMAGES["nv12"], "nv12", "bgr", dst=memory), memory)


@pytest.mark.parametrize("encoding", ["bgr8", "yuyv", "nv12", "bayer_rggb8"])
def test_a_read_only_image_and_one_with_padded_rows_are_read(encoding):
    image = IMAGES[encoding]
    wide = np.zeros((image.shape[0], image.shape[1] + 6, *image.shape[2:]), np.uint8)
    wide[:, : image.shape[1]] = image
    view = wide[:, : image.shape[1]]
    view.flags.writeable = False
    np.testing.assert_array_equal(to_channels(view, encoding, "rgb"), to_channels(image, encoding, "rgb"))


def test_size_is_that_of_the_picture():
    assert image_size(IMAGES["bgr8"], "bgr8") == (10, 8)
    assert image_size(IMAGES["nv12"], "nv12") == (10, 8)


def test_an_unknown_encoding_names_those_known():
    with pytest.raises(ImageError) as error:
        to_channels(IMAGES["bgr8"], "bgr16", "bgr")
    assert all(name in str(error.value) for name in ("'bgr16'", *ENCODINGS))


@pytest.mark.parametrize(
    ("encoding", "shape", "dtype", "wanted"),
    [
        ("bgr8", (8, 10), np.uint8, "(H, W, 3) of uint8, not empty"),
        ("bgr8", (8, 10, 4), np.uint8, "(H, W, 3) of uint8"),
        ("bgr8", (8, 10, 3), np.float32, "got shape (8, 10, 3) of float32"),
        ("bgr8", (0, 10, 3), np.uint8, "not empty"),
        ("bgr8", (8, 0, 3), np.uint8, "not empty"),
        ("mono8", (8, 10, 1), np.uint8, "(H, W) of uint8"),
        ("mono8", (80,), np.uint8, "(H, W) of uint8"),
        ("mono16", (8, 10), np.uint8, "(H, W) of uint16"),
        ("yuyv", (8, 9, 2), np.uint8, "even width"),
        ("nv12", (11, 10), np.uint8, "even width and height"),
        ("nv12", (12, 9), np.uint8, "even width and height"),
        ("bayer_rggb8", (2, 10), np.uint8, "3 x 3 or more"),
    ],
)
def test_what_is_no_image_of_its_encoding_is_refused(encoding, shape, dtype, wanted):
    with pytest.raises(ImageError) as error:
        check_image(np.zeros(shape, dtype), encoding)
    assert f"{encoding} image" in str(error.value)
    assert wanted in str(error.value)


def test_the_newest_and_the_oldest_opencv_have_every_conversion():
    for kind in ENCODINGS.values():
        for color in WANTED:
            if kind.prefix != color.upper():
                assert hasattr(cv2, f"COLOR_{kind.prefix}2{color.upper()}{kind.suffix}")
