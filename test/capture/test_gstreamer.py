"""GStreamer pipelines. What only hardware proves: that a Jetson accepts the pipeline of `csi_pipeline`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import psutil
import pytest

from edge_ai.capture.gstreamer import command, csi_pipeline, end, gist
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.core.errors import SourceError


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE and "gst-launch" in p.name()]


def source(pipeline: str, **params: object) -> Any:
    return create_source(CameraParams.parse({"source": f"gst: {pipeline}", **params}))


def test_the_command_ends_in_our_sink_and_quotes_are_as_in_a_shell() -> None:
    words = command('v4l2src ! "video/x-raw(memory:NVMM), width=4" ! x', 7)
    assert words[:6] == ["gst-launch-1.0", "-q", "v4l2src", "!", "video/x-raw(memory:NVMM), width=4", "!"]
    assert words[-2:] == ["sync=false", "fd=7"]


@pytest.mark.parametrize("tail", ["", " !", " ! appsink", " ! appsink drop=true max-buffers=1", "!appsink name=a "])
def test_pipelines_written_for_opencv_lose_their_appsink(tail: str) -> None:
    assert command("videotestsrc ! videoconvert" + tail, 7) == command("videotestsrc ! videoconvert", 7)


def test_csi_address_and_parameters_make_the_jetson_pipeline() -> None:
    assert csi_pipeline("//1?width=1280&height=720&fps=30&flip=2", CameraParams()) == (
        "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),format=NV12,width=1280,height=720,framerate=30/1 ! "
        "nvvidconv flip-method=2 ! video/x-raw,format=I420"
    )
    assert csi_pipeline("//0", CameraParams(width=640)) == (
        "nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM),format=NV12,width=640 ! "
        "nvvidconv flip-method=0 ! video/x-raw,format=I420"
    )


@pytest.mark.parametrize("address", ["//front", "//0?colour=1", "//0?width=big"])
def test_malformed_csi_addresses_are_refused(address: str) -> None:
    with pytest.raises(SourceError, match="csi://SENSOR"):
        csi_pipeline(address, CameraParams())


def test_the_gist_leaves_out_what_tells_nothing() -> None:
    words = ["Using buffers", "ERROR: from element x: Cannot open", "Additional debug info:", "system error: Busy"]
    assert gist(words) == "ERROR: from element x: Cannot open | system error: Busy"


def test_a_child_that_ignores_the_polite_signal_is_ended_all_the_same() -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    )
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()
        end(child)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("size", [(320, 240), (322, 242), (321, 241), (854, 480)])
def test_a_test_picture_arrives_whole_at_any_size(gst: None, size: tuple[int, int]) -> None:
    width, height = size
    caps = f"video/x-raw,width={width},height={height},framerate=30/1"
    with source(f"videotestsrc is-live=true pattern=smpte ! {caps}") as camera:
        frames = [camera.read() for _ in range(5)]
    assert camera.fps == 30.0
    image = frames[-1].image
    assert image.shape == (height, width, 3)
    bar = width // 7
    for number, bgr in enumerate([(255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 255)]):
        found = image[height // 4, bar * number + bar // 2].astype(int)
        np.testing.assert_allclose(found, bgr, atol=22)
    assert all(b.index > a.index and b.steady_ns > a.steady_ns for a, b in pairwise(frames))


def test_a_decoders_padded_memory_does_not_shift_the_picture(gst: None, tmp_path: Any, write_video: Any) -> None:
    if subprocess.run(["gst-inspect-1.0", "avdec_mpeg4"], check=False, capture_output=True).returncode:
        pytest.skip("no MPEG-4 decoder (apt: gstreamer1.0-libav)")
    path = write_video("clip.mp4", frames=30, size=(336, 248))
    with source(f"filesrc location={path} ! qtdemux ! avdec_mpeg4 ! clocksync") as camera:
        frames = [camera.read() for _ in range(5)]
    assert {frame.image.shape for frame in frames} == {(248, 336, 3)}


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("videotestsrc ! nosuchelement", 'no element "nosuchelement".*apt: gstreamer1.0-plugins-good'),
        ("videotestsrc nosuch=1", 'no property "nosuch"'),
        ("v4l2src device=/dev/video250", "Cannot identify device '/dev/video250'"),
        ("videotestsrc num-buffers=0", "ended"),
        ("'unpaired", "No closing quotation"),
        (" ", "GStreamer pipeline: got nothing"),
    ],
)
def test_a_pipeline_that_cannot_play_says_why(gst: None, pipeline: str, message: str) -> None:
    camera = source(pipeline)
    with pytest.raises(SourceError, match=message):
        camera.open()
    assert children() == []


def test_credentials_do_not_show_in_what_gstreamer_says(gst: None) -> None:
    with pytest.raises(SourceError) as caught:
        source("rtspsrc location=rtsp://me:secret@127.0.0.1:1/x ! decodebin", open_timeout=5.0).open()
    assert "secret" not in str(caught.value)


def test_a_missing_gst_launch_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"apt install gstreamer1\.0-tools"):
        source("videotestsrc").open()


def test_a_killed_pipeline_is_lost_and_says_by_what(gst: None) -> None:
    with source("videotestsrc is-live=true") as camera:
        camera.read()
        (child,) = children()
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(SourceError, match="killed by signal 9"):  # noqa: PT012
            while True:
                camera.read()


def test_the_terminals_interrupt_does_not_reach_the_pipeline(gst: None) -> None:
    with source("videotestsrc is-live=true") as camera:
        camera.read()
        (child,) = children()
        assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_a_pipeline_that_stalls_is_silent_and_closed_all_the_same(gst: None, wait_until: Callable[..., None]) -> None:
    with source("videotestsrc is-live=true", read_timeout=0.3) as camera:
        camera.read()
        (child,) = children()
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(SourceError, match=r"no frame within 0\.3 s"):  # noqa: PT012
            while True:
                camera.read()
    wait_until(lambda: children() == [], "the stopped child ended")


def test_closing_leaves_no_child_and_no_open_file(gst: None, wait_until: Callable[..., None]) -> None:
    me = psutil.Process()
    before = me.num_fds()
    for _ in range(3):
        with source("videotestsrc is-live=true") as camera:
            camera.read()
            assert len(children()) == 1
        wait_until(lambda: children() == [] and me.num_fds() <= before, "all was let go")


def test_rtsp_through_gstreamer(rtsp: Any) -> None:
    pipeline = f"rtspsrc location={rtsp.url} latency=0 ! rtph264depay ! avdec_h264"
    if subprocess.run(["gst-inspect-1.0", "avdec_h264"], check=False, capture_output=True).returncode:
        pytest.skip("no H.264 decoder (apt: gstreamer1.0-libav)")
    with source(pipeline) as camera:
        assert [camera.read().image.shape for _ in range(10)] == [(240, 320, 3)] * 10
