import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.nodes.images import frame_from_compressed, frame_from_msg, image_to_msg

CLOCK = ManualClock()


def frame(pixels, encoding="bgr8"):
    height, width = pixels.shape[:2]
    return Frame(FrameHeader(999 * NS + 5, 4 * NS, "camera", 7, width, height), pixels, encoding)


def random_pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("encoding", "shape"),
    [("bgr8", (4, 6, 3)), ("rgb8", (4, 6, 3)), ("bgra8", (4, 6, 4)), ("mono8", (4, 6)), ("yuv422_yuy2", (4, 6, 2))],
)
def test_an_image_survives_both_ways_with_its_stamp(encoding, shape):
    sent = frame(random_pixels(*shape), encoding)
    back = frame_from_msg(image_to_msg(sent), CLOCK)
    assert np.array_equal(back.image, sent.image)
    assert (back.encoding, back.header.stamp_ns, back.header.frame_id) == (encoding, 999 * NS + 5, "camera")
    assert back.header.steady_ns == CLOCK.steady_ns() - (CLOCK.stamp_ns() - sent.header.stamp_ns)


def test_common_encodings_are_views_of_the_message():
    message = image_to_msg(frame(random_pixels(4, 6, 3)))
    view = frame_from_msg(message, CLOCK).image
    message.data[0] = 255 - message.data[0]
    assert view[0, 0, 0] == message.data[0]


def test_padded_rows_are_read_right():
    pixels = random_pixels(4, 6, 3)
    padded = np.zeros((4, 32), np.uint8)
    padded[:, :18] = pixels.reshape(4, 18)
    message = image_to_msg(frame(pixels))
    message.step = 32
    message.data = padded.tobytes()
    assert np.array_equal(frame_from_msg(message, CLOCK).image, pixels)


def test_rarer_encodings_are_converted_padding_and_all():
    pytest.importorskip("rosbags.image", reason="needs cv_bridge or rosbags-image")
    grey = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2000
    padded = np.zeros((4, 16), np.uint8)
    padded[:, :12] = grey.view(np.uint8).reshape(4, 12)
    message = Image(width=6, height=4, encoding="mono16", step=16, data=padded.tobytes())
    got = frame_from_msg(message, CLOCK)
    assert got.encoding == "bgr8"
    assert got.image.shape == (4, 6, 3)
    assert np.all(np.abs(got.image[..., 0].astype(int) - grey / 257) <= 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 0}, "no size"),
        ({"data": b"123"}, "torn image: got 3 bytes; wanted 72"),
        ({"step": 17, "data": bytes(68)}, "rows too short"),
        ({"encoding": "purple8"}, "'purple8'"),
    ],
)
def test_a_bad_image_is_refused(change, words):
    message = image_to_msg(frame(random_pixels(4, 6, 3)))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError, match=words):
        frame_from_msg(message, CLOCK)


def test_a_compressed_image_is_decoded_and_rubbish_is_refused():
    import cv2

    pixels = np.full((16, 24, 3), 90, np.uint8)
    data = cv2.imencode(".png", pixels)[1].tobytes()
    assert np.array_equal(frame_from_compressed(CompressedImage(format="png", data=data), CLOCK).read().image, pixels)
    for rubbish in (b"", b"no picture"):
        with pytest.raises(ImageError, match="no picture"):
            frame_from_compressed(CompressedImage(format="jpeg", data=rubbish), CLOCK).read()
