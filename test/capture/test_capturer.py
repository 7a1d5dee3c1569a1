import os
import signal
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from edge_ai.capture.capturer import CaptureState, CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.capture.synthetic import read_index
from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import SourceError
from edge_ai.core.types import Frame

CONNECTING, STREAMING, RECONNECTING, ENDED, FAILED = CaptureState
Record = Callable[..., Any]
QUICK = {"reconnect_initial": 0.02, "reconnect_max": 0.1, "read_timeout": 2.0, "open_timeout": 5.0}


def test_a_file_is_handed_on_whole_with_stamps_on_its_own_timetable(record: Record, write_video: Any) -> None:
    clock = ManualClock(stamp_ns=1000 * NS, steady_ns=5 * NS)
    camera = record(clock, source=str(write_video(frames=10, fps=20.0)), frame_id="front")
    camera.capturer.prepare()
    camera.capturer.start()
    camera.until(ENDED)
    assert camera.states == [CONNECTING, STREAMING, ENDED]
    assert camera.indices == [read_index(f.image) for f in camera.frames] == list(range(10))
    assert [f.header.stamp_ns for f in camera.frames] == [1000 * NS + i * NS // 20 for i in range(10)]
    assert [f.header.steady_ns for f in camera.frames] == [5 * NS + i * NS // 20 for i in range(10)]
    header = camera.frames[0].header
    assert (header.frame_id, header.width, header.height) == ("front", 160, 120)
    status = camera.capturer.status
    assert (status.captured, status.dropped, status.reconnects, status.index) == (10, 0, 0, 9)
    assert "ended after 10 frames" in status.detail


def test_a_slow_consumer_sees_fresh_frames_and_the_rest_are_counted(record: Record, write_video: Any) -> None:
    clock = ManualClock()
    ages: list[int] = []

    def consume(frame: Frame) -> None:
        ages.append(clock.steady_ns() - frame.header.steady_ns)
        clock.advance(0.175)

    camera = record(clock, consume, source=str(write_video(frames=30, fps=20.0)))
    camera.capturer.start()
    camera.until(ENDED)
    assert max(ages) < NS // 20
    assert 8 <= len(camera.frames) <= 10
    status = camera.capturer.status
    assert (status.captured, status.dropped) == (30, 30 - len(camera.frames))


def test_without_realtime_every_frame_waits_for_its_consumer(record: Record, write_video: Any) -> None:
    clock = ManualClock()
    camera = record(clock, lambda frame: clock.advance(1.0), source=str(write_video(frames=10)), realtime=False)
    camera.capturer.start()
    camera.until(ENDED)
    assert camera.indices == list(range(10))
    assert camera.capturer.status.dropped == 0


def test_a_loop_starts_at_index_0_and_its_stamps_go_on_in_step(record: Record, write_video: Any) -> None:
    camera = record(ManualClock(), source=str(write_video(frames=5, fps=20.0)), loop=True)
    camera.capturer.start()
    camera.until_frames(12)
    camera.capturer.stop()
    assert camera.indices[:12] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    stamps = [frame.header.stamp_ns for frame in camera.frames]
    assert {b - a for a, b in pairwise(stamps)} == {NS // 20}
    assert camera.states == [CONNECTING, STREAMING]
    assert camera.capturer.status.reconnects == 0


def test_a_rate_cap_drops_evenly_and_counts(record: Record) -> None:
    camera = record(ManualClock(), source="synthetic://160x120@30?frames=30", max_rate=10.0)
    camera.capturer.start()
    camera.until(ENDED)
    assert camera.indices == list(range(0, 30, 3))
    assert (camera.capturer.status.captured, camera.capturer.status.dropped) == (30, 20)


def test_the_rate_cap_changes_between_two_frames_and_outlasts_a_stop(record: Record) -> None:
    clock, stopped = ManualClock(), []

    def consume(frame: Frame) -> None:
        if not stopped and frame.header.index in (9, 21):
            change(10.0 if frame.header.index == 9 else 0.0)

    camera = record(clock, consume, source="synthetic://160x120@30?frames=30", frame_id="front")
    params = CameraParams(source="synthetic://160x120@30?frames=30", frame_id="front")

    def change(rate: float) -> None:
        camera.capturer.update(params.changed(max_rate=rate))

    camera.capturer.start()
    camera.until(ENDED)
    assert camera.indices == [*range(10), 12, 15, 18, 21, *range(22, 30)]
    assert camera.capturer.status.dropped == 8
    change(10.0)
    camera.frames.clear()
    stopped.append(True)
    camera.capturer.stop()
    camera.capturer.start()
    camera.until(ENDED, 2)
    assert camera.indices == list(range(0, 30, 3))


def test_what_is_not_live_stays_as_it_was(record: Record) -> None:
    camera = record(ManualClock(), source="synthetic://160x120@30?frames=6", frame_id="front")
    camera.capturer.update(CameraParams(source="no/such/thing", frame_id="rear", max_rate=10.0, fps=3.0))
    camera.capturer.start()
    camera.until(ENDED)
    assert camera.indices == [0, 3]
    assert camera.frames[0].header.frame_id == "front"


def test_real_time_is_kept_by_the_real_clock(record: Record) -> None:
    delivered: list[int] = []
    camera = record(
        on_frame=lambda _: delivered.append(time.monotonic_ns()), source="synthetic://160x120@100?frames=30"
    )
    camera.capturer.start()
    camera.until(ENDED)
    assert all(now >= f.header.steady_ns for now, f in zip(delivered, camera.frames, strict=True))
    first, last = camera.frames[0].header, camera.frames[-1].header
    spent = (last.steady_ns - first.steady_ns) / NS
    assert spent >= (last.index - first.index) / 100 - 1e-6
    assert all(b.header.stamp_ns > a.header.stamp_ns for a, b in pairwise(camera.frames))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/no/such.mp4", "no such file"),
        ("250", "no camera /dev/video250"),
        ("foo://bar", "unknown camera source"),
        ("rtsp://127.0.0.1:1/x", "Connection refused"),
    ],
)
def test_prepare_fails_with_the_reason(record: Record, source: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        record(source=source).capturer.prepare()


def test_a_recording_that_cannot_be_opened_has_failed(record: Record) -> None:
    camera = record(source="/no/such.mp4")
    camera.capturer.start()
    camera.until(FAILED)
    assert "no such file" in camera.capturer.status.detail


def test_a_device_that_is_not_there_yet_is_tried_again(record: Record) -> None:
    camera = record(source="250", **QUICK)
    camera.capturer.start()
    camera.until(RECONNECTING)
    first = camera.capturer.status
    assert "no camera /dev/video250" in first.detail


def test_a_stream_that_dies_is_found_again(record: Record, mjpeg: Any) -> None:
    camera = record(source=mjpeg.url, **QUICK)
    camera.capturer.prepare()
    camera.capturer.start()
    camera.until_frames(5)
    mjpeg.die()
    camera.until(RECONNECTING)
    before = len(camera.frames)
    mjpeg.start()
    camera.until(STREAMING, times=2)
    camera.until_frames(before + 5)
    camera.capturer.stop()
    assert camera.states[:2] == [CONNECTING, STREAMING]
    assert camera.states[-1] is STREAMING
    assert camera.capturer.status.reconnects >= 1
    assert camera.capturer.status.detail == ""
    assert all(b.header.stamp_ns > a.header.stamp_ns for a, b in pairwise(camera.frames))
    counts = camera.capturer.status
    assert counts.captured - counts.dropped == len(camera.frames)


def test_a_live_camera_is_not_held_up_by_a_slow_consumer(record: Record, mjpeg: Any, wait_until: Any) -> None:
    enough = threading.Event()

    def linger(frame: Frame) -> None:
        served = mjpeg.served
        wait_until(lambda: mjpeg.served >= served + 5 or enough.is_set(), "the camera went on")

    camera = record(on_frame=linger, source=mjpeg.url)
    camera.capturer.start()
    camera.until_frames(4)
    enough.set()
    camera.capturer.stop()
    status, indices = camera.capturer.status, camera.indices
    assert all(b - a >= 3 for a, b in pairwise(indices[:4]))
    assert status.dropped >= indices[-1] - indices[0] - len(indices) + 1
    assert status.captured == status.index - indices[0] + 1


def test_an_rtsp_stream_that_dies_is_found_again(record: Record, rtsp: Any) -> None:
    camera = record(source=rtsp.url, **QUICK)
    camera.capturer.start()
    camera.until_frames(5)
    rtsp.die()
    camera.until(RECONNECTING)
    rtsp.start()
    camera.until(STREAMING, times=2)


def test_a_killed_pipeline_is_started_again(record: Record, gst: None) -> None:
    camera = record(source="gst: videotestsrc is-live=true ! video/x-raw,framerate=60/1", **QUICK)
    camera.capturer.prepare()
    camera.capturer.start()
    camera.until_frames(5)
    (child,) = [p for p in psutil.Process().children() if "gst-launch" in p.name()]
    os.kill(child.pid, signal.SIGKILL)
    camera.until(STREAMING, times=2)
    assert camera.states == [CONNECTING, STREAMING, RECONNECTING, STREAMING]
    assert "killed by signal 9" in camera.statuses[2].detail
    assert camera.capturer.status.reconnects == 1


def test_an_exception_in_the_consumer_is_reported_and_logged(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    def fail_on_third(frame: Frame) -> None:
        if frame.header.index == 3:
            raise SourceError("the publisher broke")

    camera = record(ManualClock(), fail_on_third, source="synthetic")
    camera.capturer.start()
    camera.until(FAILED)
    assert "frame 3 could not be handed on: SourceError: the publisher broke" in camera.capturer.status.detail
    assert "Traceback" in caplog.text
    assert camera.indices == [0, 1, 2, 3]


def test_an_exception_in_the_status_listener_does_not_stop_the_frames(record: Record) -> None:
    camera = record(ManualClock(), source="synthetic://160x120@30?frames=5")

    def broken(status: CaptureStatus) -> None:
        camera.statuses.append(status)
        raise ValueError("no listener")

    camera.statuses, camera.capturer._on_status = [], broken
    camera.capturer.start()
    camera.until(ENDED)
    assert camera.indices == list(range(5))


def test_nothing_is_handed_on_after_stop_and_a_start_begins_anew(record: Record, write_video: Any) -> None:
    camera = record(source=str(write_video(frames=40, fps=100.0)), loop=True)
    camera.capturer.start()
    camera.until_frames(3)
    camera.capturer.stop()
    count = len(camera.frames)
    camera.capturer.stop()
    assert len(camera.frames) == count
    camera.capturer.start()
    camera.until_frames(count + 3)
    assert camera.frames[count].header.index == 0
    assert camera.frames[count].header.stamp_ns > camera.frames[count - 1].header.stamp_ns
    assert camera.capturer.status.captured <= len(camera.frames) - count + 1


def test_stop_does_not_wait_for_the_next_frame_of_a_slow_recording(record: Record, tmp_path: Path) -> None:
    camera = record(source="synthetic://160x120@0.01")
    camera.capturer.start()
    camera.until_frames(1)
    camera.capturer.stop()
    assert not [t for t in threading.enumerate() if t.name == "camera"]
    assert camera.indices == [0]


@pytest.mark.parametrize("silent", ["frozen", "gone"])
def test_stop_does_not_wait_for_a_silent_stream(record: Record, mjpeg: Any, silent: str) -> None:
    camera = record(source=mjpeg.url, read_timeout=60.0, reconnect_initial=60.0, reconnect_max=60.0)
    camera.capturer.start()
    camera.until_frames(1)
    if silent == "gone":
        mjpeg.die()
        camera.until(RECONNECTING)
        mjpeg.start()
    else:
        mjpeg.frozen.set()
    camera.capturer.stop()
    assert not [t for t in threading.enumerate() if t.name == "camera"]


def test_stop_may_be_called_by_the_consumer(record: Record) -> None:
    done = threading.Event()

    def stop(frame: Frame) -> None:
        camera.capturer.stop()
        done.set()

    camera = record(ManualClock(), stop, source="synthetic")
    camera.capturer.start()
    assert done.wait(20)
    camera.capturer.stop()
    assert len(camera.frames) == 1


def test_a_second_start_while_running_changes_nothing(record: Record) -> None:
    camera = record(source="synthetic://160x120@100")
    camera.capturer.start()
    camera.until_frames(2)
    camera.capturer.start()
    camera.until_frames(5)
    camera.capturer.stop()
    assert camera.states.count(CONNECTING) == 1


def test_the_name_has_no_credentials(record: Record) -> None:
    assert record(source="rtsp://me:secret@cam/1").capturer.name == "rtsp://***@cam/1"
