"""What the capture tests share: videos, streams that die and come back, and a recorder of what a camera hands on."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest

from edge_ai.capture.capturer import Capturer, CaptureState, CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.capture.session import wait_for_stop
from edge_ai.capture.synthetic import Scene
from edge_ai.core.clock import ManualClock, SystemClock
from edge_ai.core.types import Frame

SYSTEM_PYTHON = "/usr/bin/python3"


def _wait_until(condition: Callable[[], bool], what: str = "the condition", deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true within {deadline_s} s"
        time.sleep(0.005)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits for a condition, with a deadline."""
    return _wait_until


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Encodes synthetic frames, whose numbers can be read back, as a video file."""

    def write(name: str = "clip.avi", frames: int = 12, fps: float = 20.0, size: tuple[int, int] = (160, 120)) -> Path:
        path = tmp_path / name
        code = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
        writer = cv2.VideoWriter(str(path), code, fps, size)
        assert writer.isOpened()
        scene = Scene(*size)
        for index in range(frames):
            writer.write(scene.picture(index))
        writer.release()
        return path

    return write


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def file_server(tmp_path: Path) -> Iterator[str]:
    """The URL of a web server for the files in tmp_path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFiles, directory=str(tmp_path)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Recorder:
    """A capturer and everything it handed on; ``wait`` moves a ManualClock instead of waiting."""

    def __init__(self, clock: ManualClock | SystemClock, on_frame: Callable[[Frame], None], **params: object) -> None:
        self.frames: list[Frame] = []
        self.statuses: list[CaptureStatus] = []
        self.clock, self._on_frame = clock, on_frame
        wait = self._pass if isinstance(clock, ManualClock) else wait_for_stop
        self.capturer = Capturer(CameraParams.parse(params), clock, self._frame, self.statuses.append, wait=wait)

    def _pass(self, stop: threading.Event, seconds: float) -> bool:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)
        return stop.is_set()

    def _frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._on_frame(frame)

    @property
    def states(self) -> list[CaptureState]:
        return [status.state for status in self.statuses]

    @property
    def indices(self) -> list[int]:
        return [frame.header.index for frame in self.frames]

    def until(self, state: CaptureState, times: int = 1) -> None:
        """Wait until a state has been reported so often."""
        _wait_until(lambda: self.states.count(state) >= times, f"{state.name} x {times} (saw {self.statuses})")

    def until_frames(self, count: int) -> None:
        """Wait until so many frames have been handed on."""
        _wait_until(lambda: len(self.frames) >= count, f"{count} frames (saw {self.statuses})")


@pytest.fixture
def record() -> Iterator[Callable[..., Recorder]]:
    """Makes recorders, and stops them after the test."""
    made: list[Recorder] = []

    def make(
        clock: ManualClock | SystemClock | None = None,
        on_frame: Callable[[Frame], None] | None = None,
        **params: object,
    ) -> Recorder:
        made.append(Recorder(clock or SystemClock(), on_frame or (lambda frame: None), **params))
        return made[-1]

    yield make
    for recorder in made:
        recorder.capturer.stop()


class MjpegServer:
    """A network camera on 127.0.0.1: MJPEG over HTTP at 50 Hz, which can freeze, die and come back on the same port."""

    def __init__(self, port: int = 0) -> None:
        self._dead, self.frozen = threading.Event(), threading.Event()
        self.port = port
        self.served = 0

    def start(self) -> MjpegServer:
        self._dead = dead = threading.Event()
        outer, scene = self, Scene(160, 120)
        pictures = [cv2.imencode(".jpg", scene.picture(i))[1].tobytes() for i in range(50)]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while not dead.wait(0.02):
                    if outer.frozen.is_set():
                        continue
                    picture = pictures[outer.served % len(pictures)]
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    try:
                        self.wfile.write(head.encode() + picture + b"\r\n")
                    except OSError:
                        return
                    outer.served += 1

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def die(self) -> None:
        self._dead.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    """A running MJPEG server."""
    server = MjpegServer().start()
    yield server
    server.die()


@pytest.fixture
def gst() -> None:
    """Skips where GStreamer's tools are not installed."""
    if shutil.which("gst-launch-1.0") is None:
        pytest.skip("gst-launch-1.0 is not installed (apt: gstreamer1.0-tools gstreamer1.0-plugins-good)")


class RtspServer:
    """The RTSP server script as a process."""

    def __init__(self) -> None:
        self.port = 0

    def start(self) -> RtspServer:
        script = Path(__file__).with_name("rtsp_server.py")
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(script), str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def die(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/test"


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def rtsp(gst: None) -> Iterator[RtspServer]:
    """A running RTSP server."""
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if not Path(SYSTEM_PYTHON).exists() or not _succeeds(SYSTEM_PYTHON, "-c", probe):
        pytest.skip("no RTSP server (apt: gir1.2-gst-rtsp-server-1.0 python3-gi)")
    if not _succeeds("gst-inspect-1.0", "x264enc"):
        pytest.skip("no H.264 encoder (apt: gstreamer1.0-plugins-ugly)")
    server = RtspServer().start()
    yield server
    server.die()
