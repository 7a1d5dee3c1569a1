"""Live cameras through OpenCV: V4L2 devices and network streams."""

from __future__ import annotations

import glob
import logging
import math
import os
import threading
import time
from abc import ABC, abstractmethod
from typing import Any

import cv2

from edge_ai.capture.base import Captured
from edge_ai.capture.live import LiveSource
from edge_ai.capture.network import reason_for_silence
from edge_ai.capture.params import CameraParams
from edge_ai.core.clock import NS
from edge_ai.core.errors import SourceError
from edge_ai.core.types import Image

_log = logging.getLogger(__name__)
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


def ffmpeg_options(params: CameraParams) -> str:
    """FFmpeg options for a live stream, in OpenCV's form ``key;value|key;value``.

    No ``nobuffer``: it throws away the first key frame and so shows nothing until the next, while a reader that always
    catches up gains nothing from it.
    """
    return f"rtsp_transport;{params.rtsp_transport}|max_delay;200000"


def time_limits(params: CameraParams) -> dict[int, int]:
    """How long FFmpeg may block, as OpenCV properties in milliseconds."""
    return {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: round(params.open_timeout * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(params.read_timeout * 1000),
    }


def v4l2_requests(params: CameraParams) -> list[tuple[int, float]]:
    """What to ask a V4L2 device for, as OpenCV properties in the order drivers need: format, size, rate."""
    wanted = [
        (cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*params.fourcc)) if params.fourcc else 0.0),
        (cv2.CAP_PROP_FRAME_WIDTH, float(params.width)),
        (cv2.CAP_PROP_FRAME_HEIGHT, float(params.height)),
        (cv2.CAP_PROP_FPS, params.fps),
    ]
    return [(key, value) for key, value in wanted if value]


def kernel_stamp(position_ms: float, now_ns: int) -> int:
    """The capture instant of a V4L2 buffer, in nanoseconds of CLOCK_MONOTONIC.

    Args:
        position_ms: CAP_PROP_POS_MSEC, the time the driver stamped the buffer with; most use the monotonic clock.
        now_ns: monotonic time now; taken where the driver's time is not within the last second and so is another clock.
    """
    stamp = round(position_ms * 1e6) if math.isfinite(position_ms) else 0
    return stamp if 0 <= now_ns - stamp < NS else now_ns


class _CaptureFeed(ABC):
    """Frames of an open `cv2.VideoCapture` for the reader thread; a kind says how to open and stamp it."""

    def __init__(self, source: LiveSource[Any]) -> None:
        self._source = source
        self._capture: Any = None

    @abstractmethod
    def _connect(self) -> Any:
        """Open the capture and return it."""

    def _stamp(self) -> int:
        return time.monotonic_ns()

    def start(self) -> None:
        self._capture = self._connect()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._source.fps = rate if 0 < rate <= 1000 else 0.0

    def grab(self) -> tuple[Image, int]:
        if not self._capture.grab():
            raise SourceError(f"camera '{self._source.name}' is lost", got="no further frame")
        stamp = self._stamp()
        ok, image = self._capture.retrieve()
        if not ok or image is None or not image.size:
            raise SourceError(f"camera '{self._source.name}' gave a frame that cannot be decoded")
        return image, stamp

    def interrupt(self) -> None:  # noqa: B027 - it is meant to do nothing
        """OpenCV cannot be woken safely; its own timeouts end the wait."""

    def finish(self) -> None:
        if self._capture is not None:
            self._capture.release()


class _UrlFeed(_CaptureFeed):
    def _connect(self) -> Any:
        params, name = self._source.params, self._source.name
        url = params.source.strip()
        settings = time_limits(params)
        # Older OpenCV cannot be told and decodes on all cores, one frame of delay for each beyond the first.
        if hasattr(cv2, "CAP_PROP_N_THREADS"):
            settings[cv2.CAP_PROP_N_THREADS] = params.decode_threads
        with _Options(ffmpeg_options(params)):
            capture = open_url(url, settings)
        if not capture.isOpened():
            raise SourceError(f"no video from '{name}'", got=reason_for_silence(url))
        return capture


class _V4L2Feed(_CaptureFeed):
    def _connect(self) -> Any:
        path = device_path(self._source.address)
        check_device(path)
        capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise SourceError(
                f"{path} cannot be opened as a camera",
                wanted="a V4L2 capture device that no other program holds",
                mend=f"see who holds it with 'fuser {path}'; some cameras show a second device without pictures",
            )
        for key, value in v4l2_requests(self._source.params):
            capture.set(key, value)
            if abs(capture.get(key) - value) > 0.5:
                _log.warning("%s: asked for property %d = %g, got %g", path, key, value, capture.get(key))
        return capture

    def _stamp(self) -> int:
        return kernel_stamp(self._capture.get(cv2.CAP_PROP_POS_MSEC), time.monotonic_ns())


class _OpenCvLive(LiveSource[tuple[Image, int]]):
    def _develop(self, raw: tuple[Image, int], index: int) -> Captured:
        image, stamp = raw
        return Captured(image, "bgr8" if image.ndim == 3 else "mono8", index, stamp)


class UrlSource(_OpenCvLive):
    """A live network stream (RTSP, HTTP) through FFmpeg.

    Frames are stamped on arrival, so their age lacks the delay of sender and network. FFmpeg holds back one frame;
    where that matters, a GStreamer pipeline (``rtspsrc location=.. latency=0 ! rtph264depay ! avdec_h264``) does not.
    """

    def _make_feed(self) -> _UrlFeed:
        return _UrlFeed(self)


class V4L2Source(_OpenCvLive):
    """A camera of the Linux kernel, such as a USB camera; stamped by the kernel where its driver does so."""

    def _make_feed(self) -> _V4L2Feed:
        return _V4L2Feed(self)


def device_path(address: str) -> str:
    """'0' and '/dev/video0' name the same device."""
    return f"/dev/video{int(address)}" if address.isdecimal() else address


def check_device(path: str) -> None:
    """Raise what is wrong with a device before OpenCV fails without a reason.

    Raises:
        SourceError: no such device, or no permission.
    """
    if not os.path.exists(path):
        there = ", ".join(sorted(glob.glob("/dev/video*"))) or "no /dev/video* at all"
        raise SourceError(f"no camera {path}", got=there, mend="plug the camera in, or set source to what you have")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceError(f"no permission for {path}", mend="add the user to group 'video' and log in again")


def open_url(url: str, settings: dict[int, int]) -> Any:
    """A `cv2.VideoCapture` of a URL with these OpenCV properties, opened or not."""
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, [number for pair in settings.items() for number in pair])


class _Options:
    """While any stream is being opened, FFmpeg's options stand in the environment variable, OpenCV's only way to them.

    A value that the user has set stays. Streams open at the same time, not one after the other.
    """

    _lock = threading.Lock()
    _opening = 0
    _mine = False

    def __init__(self, options: str) -> None:
        self._options = options

    def __enter__(self) -> None:
        with self._lock:
            if not _Options._opening:
                _Options._mine = _OPTIONS not in os.environ
            if _Options._mine:
                os.environ[_OPTIONS] = self._options
            _Options._opening += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            _Options._opening -= 1
            if _Options._mine and not _Options._opening:
                os.environ.pop(_OPTIONS, None)
