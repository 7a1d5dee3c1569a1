import io

import cv2
import numpy as np
import pytest

from edge_ai.capture.y4m import Y4MFormat, Y4MReader
from edge_ai.core.errors import SourceError


def frame(width: int, height: int, padded: bool, luma: int) -> bytes:
    """A grey frame whose padding, if any, is bright, so that it shows when taken for picture."""
    stride, rows, chroma, half = Y4MFormat(width, height, 0.0).strides(padded)
    y = np.full((rows, stride), 235, np.uint8)
    y[:height, :width] = luma
    uv = np.full((2, half, chroma), 250, np.uint8)
    uv[:, :, : (width + 1) // 2] = 128
    return b"FRAME\n" + y.tobytes() + uv.tobytes()


def stream(width: int, height: int, padded: bool, lumas: list[int]) -> io.BufferedReader:
    head = f"YUV4MPEG2 C420 W{width} H{height} Ip F30:1 A1:1\n".encode()
    return io.BufferedReader(io.BytesIO(head + b"".join(frame(width, height, padded, luma) for luma in lumas)))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("size", [(320, 240), (322, 242), (321, 241), (854, 480), (5, 3)])
def test_frames_of_any_size_and_layout_are_read(size: tuple[int, int], padded: bool) -> None:
    width, height = size
    reader = Y4MReader(stream(width, height, padded, [100, 150, 200]))
    assert reader.format == Y4MFormat(width, height, 30.0)
    for luma in (100, 150, 200):
        reader.wait_frame()
        raw = reader.read_frame()
        bgr = reader.format.to_bgr(raw, bool(reader.padded))
        assert bgr.shape == (height, width, 3)
        assert np.ptp(bgr) <= 1
        assert abs(int(bgr[0, 0, 0]) - (luma - 16) * 255 / 219) <= 1.5
    with pytest.raises(EOFError):
        reader.wait_frame()


def test_colours_come_out_as_they_went_in() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32], image[24:, 32:] = (
        (200, 30, 30),
        (30, 200, 30),
        (30, 30, 200),
        128,
    )
    yuv = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    again = Y4MFormat(64, 48, 30.0).to_bgr(yuv.ravel(), False)
    for y, x in ((10, 10), (10, 50), (40, 10), (40, 50)):
        np.testing.assert_allclose(again[y, x].astype(int), image[y, x], atol=3)


@pytest.mark.parametrize(
    "header",
    [b"", b"RIFF\n", b"YUV4MPEG2 W0 H2\n", b"YUV4MPEG2 H2\n", b"YUV4MPEG2 W4 H4 C444\n", b"YUV4MPEG2 W4 H4 F1:0\n"],
)
def test_other_streams_are_refused(header: bytes) -> None:
    with pytest.raises((SourceError, EOFError)):
        Y4MReader(io.BufferedReader(io.BytesIO(header)))


def test_a_stream_out_of_step_is_noticed() -> None:
    broken = stream(320, 240, False, [100]).read() + b"garbage\n"
    reader = Y4MReader(io.BufferedReader(io.BytesIO(broken)))
    reader.wait_frame()
    reader.read_frame()
    with pytest.raises(SourceError, match="beginning of a frame"):
        reader.wait_frame()


def test_a_frame_cut_short_is_the_end() -> None:
    reader = Y4MReader(io.BufferedReader(io.BytesIO(stream(320, 240, False, [100]).read()[:-1])))
    reader.wait_frame()
    with pytest.raises(EOFError):
        reader.read_frame()
