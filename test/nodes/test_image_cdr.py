import struct
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")
pytest.importorskip("hypothesis", reason="needs hypothesis")

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image

from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.nodes.image_cdr import read_image, write_image
from edge_ai.nodes.images import frame_from_cdr, frame_from_msg, image_to_cdr

CLOCK = ManualClock()
CHANNELS = {
    "bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1, "8UC1": 1, "8UC3": 3, "yuv422": 2, "uyvy": 2,
    "yuv422_yuy2": 2, "yuyv": 2, "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1, "bayer_grbg8": 1,
}  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
UINT32 = st.integers(0, 2**32 - 1)


@st.composite
def frames(draw):
    encoding = draw(st.sampled_from(sorted(CHANNELS)))
    height, width, channels = draw(st.integers(1, 9)), draw(st.integers(1, 9)), CHANNELS[encoding]
    pixels = np.random.default_rng(draw(UINT32)).integers(0, 256, (height, width, channels), np.uint8)
    stamp = draw(st.integers(0, 2**31 - 1)) * NS + draw(st.integers(0, NS - 1))
    header = FrameHeader(stamp, 0, draw(TEXT), 0, width, height)
    return Frame(header, pixels if channels > 1 else pixels[..., 0], encoding)


@st.composite
def messages(draw):
    message = Image(height=draw(UINT32), width=draw(UINT32), step=draw(UINT32), encoding=draw(TEXT))
    message.header.stamp.sec = draw(st.integers(-(2**31), 2**31 - 1))
    message.header.stamp.nanosec = draw(UINT32)
    message.header.frame_id, message.is_bigendian = draw(TEXT), draw(st.integers(0, 255))
    message.data = draw(st.binary(max_size=70))
    return message


def fields(image):
    return image.height, image.width, image.encoding, image.is_bigendian, image.step, bytes(image.data)


def small():
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    return Frame(FrameHeader(999 * NS + 5, 0, "camera", 0, 6, 4), pixels)


@given(frames())
def test_what_is_written_is_what_rclpy_reads_and_as_long_as_what_it_writes(frame):
    cdr = write_image(frame)
    message = deserialize_message(cdr, Image)
    assert message.header.stamp.sec * NS + message.header.stamp.nanosec == frame.header.stamp_ns
    assert message.header.frame_id == frame.header.frame_id
    height, width = frame.image.shape[:2]
    step = width * CHANNELS[frame.encoding]
    assert fields(message) == (height, width, frame.encoding, 0, step, frame.image.tobytes())
    theirs = serialize_message(message)
    assert (theirs[:2], len(theirs)) == (cdr[:2], len(cdr)), "alike but for what rclpy leaves in the padding"


@given(messages())
def test_what_rclpy_writes_is_read_field_by_field(message):
    view = read_image(serialize_message(message))
    assert view.stamp_ns == message.header.stamp.sec * NS + message.header.stamp.nanosec
    assert view.frame_id == message.header.frame_id
    assert fields(view) == fields(message)


@given(frames())
def test_a_frame_survives_both_ways(frame):
    back = frame_from_cdr(image_to_cdr(frame), CLOCK)
    assert np.array_equal(back.image, frame.image)
    assert back.encoding == frame.encoding
    assert replace(back.header, steady_ns=0, index=0) == frame.header
    assert back.header.steady_ns == CLOCK.steady_ns() - (CLOCK.stamp_ns() - frame.header.stamp_ns)


def test_pixels_are_not_copied_on_reading():
    cdr = image_to_cdr(small())
    image = frame_from_cdr(cdr, CLOCK).image
    owner = np.frombuffer(cdr, np.uint8)
    assert np.shares_memory(image, owner)
    assert image.ctypes.data == owner.ctypes.data + len(cdr) - image.nbytes, "the very bytes the message ends with"
    chain = [image]
    while isinstance(
        base := getattr(chain[-1], "base", None) or getattr(chain[-1], "obj", None), np.ndarray | memoryview
    ):
        chain.append(base)
    assert base is cdr
    assert not image.flags.writeable


def test_pixels_are_copied_once_on_writing():
    import tracemalloc

    pixels = np.zeros((480, 640, 3), np.uint8)
    frame = Frame(FrameHeader(0, 0, "camera", 0, 640, 480), pixels)
    tracemalloc.start()
    cdr = image_to_cdr(frame)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(cdr) <= peak < len(cdr) + 20_000, "memory for one copy, and no more"


def test_rows_of_a_cut_out_are_sent_without_what_lies_between_them():
    whole = np.arange(96, dtype=np.uint8).reshape(4, 8, 3)
    frame = replace(small(), image=whole[:, 1:7])
    back = frame_from_cdr(image_to_cdr(frame), CLOCK)
    assert np.array_equal(back.image, frame.image)


def test_an_image_that_no_reader_takes_in_place_is_converted_as_from_a_message():
    pytest.importorskip("rosbags.image", reason="needs cv_bridge or rosbags-image")
    grey = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2000
    message = Image(width=6, height=4, encoding="mono16", step=12, data=grey.tobytes())
    got = frame_from_cdr(serialize_message(message), CLOCK)
    assert np.array_equal(got.image, frame_from_msg(message, CLOCK).image)
    assert got.encoding == "bgr8"


def test_padding_of_the_middleware_is_no_pixel():
    cdr = image_to_cdr(small())
    for padding in range(4):
        assert np.array_equal(frame_from_cdr(cdr + bytes(padding), CLOCK).image, small().image)
    with pytest.raises(ImageError, match="torn image: got 76 bytes of pixels; wanted 72"):
        frame_from_cdr(cdr + bytes(4), CLOCK)


@pytest.mark.parametrize("encapsulation", ["0000", "0003", "0006", "0007", "000b", "0100", "ffff"])
def test_another_representation_is_refused(encapsulation):
    cdr = bytes.fromhex(encapsulation) + image_to_cdr(small())[2:]
    with pytest.raises(ImageError, match=f"foreign representation: got encapsulation {encapsulation}; wanted 0001"):
        frame_from_cdr(cdr, CLOCK)


def test_every_cut_is_refused():
    cdr = image_to_cdr(small())
    for end in range(len(cdr)):
        with pytest.raises(ImageError, match=r"torn image|foreign"):
            frame_from_cdr(cdr[:end], CLOCK)


@pytest.mark.parametrize("value", [0, 1, 2, 5, 73, 2**31, 2**32 - 1])
@pytest.mark.parametrize(
    "at", [12, 24, 28, 32, 44, 48], ids=["frame_id", "height", "width", "encoding", "step", "data"]
)
def test_no_length_may_lie(at, value):
    cdr = bytearray(image_to_cdr(small()))
    assert struct.unpack_from("<I", cdr, at)[0] in (4, 5, 6, 7, 18, 72), "the test knows where the lengths are"
    struct.pack_into("<I", cdr, at, value)
    if (at, value) == (32, 5):
        assert frame_from_cdr(bytes(cdr), CLOCK).encoding == "bgr8", "which is no lie"
    elif at == 28 and value in (1, 2, 5):
        assert frame_from_cdr(bytes(cdr), CLOCK).image.shape == (4, value, 3), "rows with something after their pixels"
    else:
        with pytest.raises(ImageError):
            frame_from_cdr(bytes(cdr), CLOCK)


def test_a_text_that_is_none_is_refused():
    cdr = image_to_cdr(small())
    with pytest.raises(ImageError, match="no UTF-8"):
        frame_from_cdr(cdr.replace(b"camera", b"\xff\xfemera"), CLOCK)
    with pytest.raises(ImageError, match="without its end"):
        frame_from_cdr(cdr.replace(b"camera\0", b"camera!"), CLOCK)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=120))
@example(b"")
def test_rubbish_is_refused_and_never_crashes(data):
    for cdr in (data, b"\x00\x01\x00\x00" + data):
        with pytest.raises(ImageError):
            frame_from_cdr(cdr, CLOCK)


@given(st.data())
def test_a_flipped_byte_gives_an_image_or_a_refusal(data):
    cdr = bytearray(image_to_cdr(small()))
    cdr[data.draw(st.integers(0, 51))] = data.draw(st.integers(0, 255))
    try:
        image = frame_from_cdr(bytes(cdr), CLOCK).image
    except ImageError:
        return
    assert image.nbytes <= 72
    assert int(image.sum()) >= 0, "all of it can be read"
