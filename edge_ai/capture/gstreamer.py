"""Any GStreamer pipeline, run by a gst-launch-1.0 of its own.

So it works with every Python and every build of OpenCV, and a crash inside a driver (argus on Jetson) ends the child
and not the node.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

from edge_ai.capture.base import Captured, printable
from edge_ai.capture.live import LiveSource
from edge_ai.capture.params import CameraParams
from edge_ai.capture.y4m import Y4MReader
from edge_ai.core.errors import SourceError
from edge_ai.core.types import Image

LAUNCHER = "gst-launch-1.0"
# y4menc ignores how a decoder lays out its memory; without allocation queries decoders use the plain layout.
_TAIL = "videoconvert ! video/x-raw,format=I420 ! identity drop-allocation=true ! y4menc ! fdsink sync=false fd="
_SET_PIPE_SIZE = 1031
_PIPE_SIZE = 1 << 20
_GRACE_S = 1.0
_PLUGINS = (
    "install the plugin that has it (apt: gstreamer1.0-plugins-good, -bad or -ugly, gstreamer1.0-libav; "
    "on Jetson nvidia-l4t-gstreamer)"
)
Raw = tuple[Y4MReader, Image, int]


def command(pipeline: str, fd: int) -> list[str]:
    """The gst-launch-1.0 command that plays a pipeline and writes its frames to a file descriptor as Y4M.

    A pipeline written for OpenCV loses its ``appsink``.

    Raises:
        SourceError: the pipeline is empty or its quotes do not pair.
    """
    bare = re.sub(r"!\s*appsink\b[^!]*$", "", pipeline.strip()).strip().rstrip("!").strip()
    try:
        words = shlex.split(bare)
    except ValueError as error:
        raise SourceError(f"GStreamer pipeline '{printable(pipeline)}'", got=str(error)) from None
    if not words:
        raise SourceError(
            "GStreamer pipeline", got="nothing", wanted="elements, as in 'gst: videotestsrc is-live=true'"
        )
    return [LAUNCHER, "-q", *words, "!", *shlex.split(f"{_TAIL}{fd}")]


def csi_pipeline(address: str, params: CameraParams) -> str:
    """The usual pipeline of a CSI camera on Jetson; only such hardware proves it.

    Args:
        address: ``//0`` or ``//0?width=1280&height=720&fps=30&flip=2`` (flip: nvvidconv's flip-method, 0 to 7).
        params: width, height and fps where the address does not say.

    Raises:
        SourceError: the address is malformed.
    """
    wanted = "csi://SENSOR?width=..&height=..&fps=..&flip=.."
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    values = {"width": params.width, "height": params.height, "fps": round(params.fps), "flip": 0}
    sensor = parts.netloc or "0"
    if not set(asked) <= set(values) or not all(v.isdecimal() for v in (sensor, *asked.values())):
        raise SourceError("CSI camera", got=f"'csi:{address}'", wanted=wanted)
    values.update((key, int(value)) for key, value in asked.items())
    caps = "".join(
        f",{key}={value}{suffix}"
        for key, value, suffix in (
            ("width", values["width"], ""),
            ("height", values["height"], ""),
            ("framerate", values["fps"], "/1"),
        )
        if value
    )
    return (
        f"nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM),format=NV12{caps} ! "
        f"nvvidconv flip-method={values['flip']} ! video/x-raw,format=I420"
    )


class _GstFeed:
    """A gst-launch-1.0 child; grabs run on the reader's thread, `interrupt` on any."""

    def __init__(self, source: GStreamerSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: BinaryIO | None = None
        self._words: deque[str] = deque(maxlen=30)
        self._listener: threading.Thread | None = None
        self._ended = False

    def start(self) -> None:
        self._launch()
        try:
            assert self._stream is not None
            self._reader = Y4MReader(self._stream)
        except EOFError:
            raise self._failure("gives no video") from None
        self._source.fps = self._reader.format.fps

    def _launch(self) -> None:
        if shutil.which(LAUNCHER) is None:
            raise SourceError(
                f"camera '{self._source.name}' needs {LAUNCHER}",
                got="none on PATH",
                mend="apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good",
            )
        here, there = os.pipe()
        self._stream = os.fdopen(here, "rb", buffering=1 << 16)
        try:
            fcntl.fcntl(there, _SET_PIPE_SIZE, _PIPE_SIZE)
            with self._lock:
                if self._ended:
                    raise SourceError(f"camera '{self._source.name}' was closed")
                # Its own session, so that Ctrl-C in the terminal does not take the camera away before its node stops.
                # Its standard output is not the stream: drivers print there.
                self._process = subprocess.Popen(
                    command(self._source.pipeline(), there),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(there,),
                    start_new_session=True,
                )
        finally:
            os.close(there)
        self._listener = threading.Thread(target=self._listen, name="gst-messages", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as words:
            for line in words:
                self._words.append(printable(line.decode(errors="replace").strip()))

    def grab(self) -> Raw:
        try:
            self._reader.wait_frame()
            stamp = time.monotonic_ns()
            return self._reader, self._reader.read_frame(), stamp
        except EOFError:
            raise self._failure("is lost") from None

    def interrupt(self) -> None:
        with self._lock:
            self._ended = True
            process = self._process
        if process is not None:
            end(process)

    def finish(self) -> None:
        self.interrupt()
        if self._listener is not None:
            self._listener.join(_GRACE_S)
        if self._stream is not None:
            self._stream.close()

    def _failure(self, what: str) -> SourceError:
        assert self._process is not None
        end(self._process)
        if self._listener is not None:
            self._listener.join(_GRACE_S)
        code = self._process.returncode
        cause = f"{LAUNCHER} was killed by signal {-code}" if code < 0 else f"{LAUNCHER} ended with code {code}"
        got = gist(list(self._words)) or cause
        return SourceError(
            f"camera '{self._source.name}' {what}", got=got, mend=_PLUGINS if "no element" in got else ""
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child and reap it: politely, so that drivers let go of the camera, then by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def gist(words: list[str]) -> str:
    """The telling lines of what gst-launch-1.0 printed."""
    telling = [line for line in words if re.search(r"ERROR|WARNING: erroneous|system error|rror:|[Ff]ailed", line)]
    return " | ".join(telling[:4])


class GStreamerSource(LiveSource[Raw]):
    """The frames of a pipeline, such as ``gst: videotestsrc is-live=true`` or ``v4l2src ! image/jpeg ! jpegdec``.

    The pipeline ends before the sink; videoconvert, y4menc and fdsink are added. Frames are stamped on arrival, so the
    pipeline's own delay (exposure, ISP, jitter buffers) is not in their age. A pipeline that is not live (filesrc)
    runs as fast as it can unless it ends in ``! clocksync``. Colours are taken for BT.601: end the pipeline with
    ``! videoconvert ! video/x-raw,colorimetry=bt601`` where the slight shift of BT.709 matters.
    """

    def pipeline(self) -> str:
        """The pipeline's elements up to the sink, as gst-launch-1.0 takes them."""
        return self.address

    def _make_feed(self) -> _GstFeed:
        return _GstFeed(self)

    def _develop(self, raw: Raw, index: int) -> Captured:
        reader, data, stamp = raw
        return Captured(reader.format.to_bgr(data, bool(reader.padded)), "bgr8", index, stamp)


class CsiSource(GStreamerSource):
    """A CSI camera on Jetson, ``csi://0``."""

    def pipeline(self) -> str:
        return csi_pipeline(self.address, self.params)
