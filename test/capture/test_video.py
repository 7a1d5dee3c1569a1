"""Live cameras through OpenCV. What only hardware proves: that a V4L2 driver grants requests and stamps its buffers."""

import os
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_ai.capture import video
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.capture.synthetic import read_index
from edge_ai.core.clock import NS
from edge_ai.core.errors import SourceError


def test_v4l2_is_asked_for_format_before_size_before_rate_and_only_for_what_was_set() -> None:
    params = CameraParams(fourcc="MJPG", width=1280, height=720, fps=30.0)
    assert video.v4l2_requests(params) == [
        (cv2.CAP_PROP_FOURCC, float(0x47504A4D)),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280.0),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720.0),
        (cv2.CAP_PROP_FPS, 30.0),
    ]
    assert video.v4l2_requests(CameraParams()) == []


def test_a_number_and_a_path_name_the_same_device() -> None:
    assert video.device_path("3") == video.device_path("/dev/video3") == "/dev/video3"


@pytest.mark.parametrize(
    ("position_ms", "stamp"),
    [
        (99_950.0, 99_950_000_000),  # 50 ms ago on the monotonic clock: the driver's own time
        (99_966.125, 99_966_125_000),
        (100_001.0, 100 * NS),  # in the future
        (98_000.0, 100 * NS),  # too old to be this frame
        (1.7e12, 100 * NS),  # wall clock
        (0.0, 100 * NS),
        (float("nan"), 100 * NS),
    ],
)
def test_the_kernels_stamp_is_taken_where_it_is_plausible(position_ms: float, stamp: int) -> None:
    assert video.kernel_stamp(position_ms, 100 * NS) == stamp


def test_a_missing_device_is_named_with_what_is_there() -> None:
    with pytest.raises(SourceError, match=r"no camera /dev/video250: got (no )?/dev/video"):
        create_source(CameraParams(source="250")).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every device")
def test_a_device_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.touch(mode=0)
    with pytest.raises(SourceError, match="add the user to group 'video'"):
        video.check_device(str(path))


def test_what_is_no_camera_is_refused() -> None:
    with pytest.raises(SourceError, match="/dev/null cannot be opened as a camera"):
        create_source(CameraParams(source="/dev/null")).open()


def test_ffmpeg_is_told_how_to_carry_rtsp_only_while_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def look(url: str, settings: dict[int, int]) -> Any:
        seen.append(os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS"))
        assert settings[cv2.CAP_PROP_OPEN_TIMEOUT_MSEC] == 500
        return cv2.VideoCapture()

    monkeypatch.setattr(video, "open_url", look)
    for transport, users in (("tcp", None), ("udp", None), ("tcp", "rtsp_transport;http")):
        monkeypatch.delenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", raising=False)
        if users:
            monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", users)
        with pytest.raises(SourceError):
            create_source(
                CameraParams(source="rtsp://127.0.0.1:1/x", rtsp_transport=transport, open_timeout=0.5)
            ).open()
        assert os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS") == users
    assert seen == [
        "rtsp_transport;tcp|max_delay;200000",
        "rtsp_transport;udp|max_delay;200000",
        "rtsp_transport;http",
    ]


def test_http_frames_arrive_in_order_and_are_numbered(mjpeg: Any) -> None:
    with create_source(CameraParams(source=mjpeg.url)) as source:
        frames = [source.read() for _ in range(20)]
    assert source.live
    numbers = [read_index(frame.image) for frame in frames]
    assert None not in numbers
    steps = {(b - a) % 50 for a, b in pairwise(numbers)}
    assert steps == {b.index - a.index for a, b in pairwise(frames)}
    assert all(b.steady_ns > a.steady_ns and b.due_s is None for a, b in pairwise(frames))


def test_an_http_camera_that_dies_is_lost(mjpeg: Any) -> None:
    with create_source(CameraParams(source=mjpeg.url, read_timeout=5.0)) as source:
        source.read()
        mjpeg.die()
        with pytest.raises(SourceError, match="is lost"):  # noqa: PT012
            while True:
                source.read()
        mjpeg.start()


def test_an_http_camera_that_freezes_is_silent_after_the_timeout(mjpeg: Any) -> None:
    with create_source(CameraParams(source=mjpeg.url, read_timeout=0.3)) as source:
        source.read()
        mjpeg.frozen.set()
        with pytest.raises(SourceError, match=r"no frame within 0\.3 s|no further frame"):  # noqa: PT012
            while True:
                source.read()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_accepts_and_says_nothing_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://me:secret@127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(SourceError) as caught:
            create_source(CameraParams(source=url, open_timeout=0.4)).open()
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match="Connection refused"):
        create_source(CameraParams(source="rtsp://127.0.0.1:1/x")).open()


def test_rtsp_shows_its_colour_bars(rtsp: Any) -> None:
    with create_source(CameraParams(source=rtsp.url)) as source:
        first, image = source.read(), source.read().image
    assert source.live
    assert source.fps == pytest.approx(25.0)
    assert first.image.shape == image.shape == (240, 320, 3)
    white, blue = image[60, 20].astype(int), image[60, 300].astype(int)
    assert np.ptp(white) < 30 < white.min()
    assert blue[0] > blue[2] + 80


def test_an_rtsp_path_that_is_not_served_is_refused(rtsp: Any) -> None:
    with pytest.raises(SourceError, match="answers but gives no video: check path"):
        create_source(CameraParams(source=rtsp.url + "/other")).open()


def test_an_rtsp_server_that_dies_is_lost(rtsp: Any, wait_until: Callable[..., None]) -> None:
    with create_source(CameraParams(source=rtsp.url, read_timeout=2.0)) as source:
        source.read()
        rtsp.die()
        with pytest.raises(SourceError):  # noqa: PT012
            while True:
                source.read()
        rtsp.start()
