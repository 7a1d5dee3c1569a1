import cv2
import numpy as np
import pytest

from edge_ai.core.clock import NS
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.recording.frames import FrameChooser, FrameTap

from .conftest import read

MS = NS // 1000


def frame(stamp=0, encoding="bgr8", size=(48, 64)):
    rng = np.random.default_rng(stamp)
    coarse = rng.integers(0, 255, (6, 8, 3), np.uint8)
    image = cv2.resize(coarse, size[::-1])
    if encoding == "rgb8":
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    elif encoding == "mono8":
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return Frame(FrameHeader(stamp, stamp, "camera", 0, size[1], size[0]), image, encoding)


def test_frames_with_a_result_are_preferred():
    chooser = FrameChooser(10.0)
    chosen = []
    for tick in range(100):  # a camera of 100 Hz, a model that answers every seventh frame 30 ms later
        stamp = tick * 10 * MS
        chosen.append(chooser.captured(stamp, f"captured {tick}", stamp))
        if tick % 7 == 3:
            chosen.append(chooser.answered(stamp - 30 * MS, stamp))
    chosen = [one for one in chosen if one]
    assert [int(one.split()[1]) % 7 for one in chosen] == [0] * len(chosen)
    assert 7 <= len(chosen) <= 10


def test_frames_are_taken_without_a_model_as_well():
    chooser = FrameChooser(10.0)
    chosen = [chooser.captured(tick * 10 * MS, tick, tick * 10 * MS) for tick in range(300)]
    kept = [one for one in chosen if one is not None]
    assert 5 <= len(kept) <= 30


def test_a_result_of_a_frame_that_is_gone_chooses_none():
    chooser = FrameChooser(10.0, keep=2)
    for tick in range(3):
        chooser.captured(tick, tick, tick)
    assert chooser.answered(0, 10) is None
    assert chooser.answered(2, 11) == 2


@pytest.mark.parametrize("encoding", ["bgr8", "rgb8", "mono8"])
def test_a_jpeg_looks_as_its_frame(encoding):
    picture = cv2.imdecode(np.frombuffer(frame_to_jpeg(frame(1, encoding), 95), np.uint8), cv2.IMREAD_UNCHANGED)
    wanted = frame(1, "mono8" if encoding == "mono8" else "bgr8").image
    assert picture.shape == wanted.shape
    assert np.abs(picture.astype(int) - wanted).mean() < 4


def test_a_torn_frame_is_no_jpeg():
    with pytest.raises(ImageError):
        frame_to_jpeg(frame(1, "nonsense"), 80)


def test_frames_go_into_the_file(bench):
    one = bench()
    tap = FrameTap(one.recorder, one.params, one.clock)
    for tick in range(20):
        stamp = one.stamp
        tap.captured(frame(stamp))
        tap.answered(frame(stamp))
        one.until(lambda status, tick=tick: status.messages + status.lost > tick // 2)
        one.clock.advance(0.05)
    tap.close()
    path = one.recorder.trigger("request")
    one.settle()
    (pictures,) = [value for key, value in read(path).messages.items() if key.startswith("/camera")]
    assert len(pictures) == 10
    stamps = [picture.header.stamp.sec * NS + picture.header.stamp.nanosec for picture in pictures]
    assert stamps == sorted(set(stamps))
    assert cv2.imdecode(np.frombuffer(pictures[0].data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
