"""Files whose recorder was killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader

from edge_ai.capture.bag import BagSource
from edge_ai.capture.params import CameraParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.errors import EndOfSource
from edge_ai.recording.mcap_file import McapFile
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder
from edge_ai.recording.repair import has_end, repair

from .conftest import read

ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import sys, time, cv2, numpy as np
from edge_ai.core.clock import SystemClock
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder
clock = SystemClock()
picture = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8))[1].tobytes()
recorder = FlightRecorder(RecorderParams(folder=sys.argv[1], min_free=0, before=1.0, after=60.0), clock)
recorder.latch("/card", messages.STRING, messages.text("the card"), clock.stamp_ns())
print(recorder.trigger("alert"), flush=True)
number = 0
while True:
    number += 1
    stamp = clock.stamp_ns()
    recorder.put("/camera/image_raw/compressed", messages.COMPRESSED_IMAGE,
                 messages.compressed_image(picture, stamp, "camera"), stamp)
    recorder.put("/words", messages.STRING, messages.text(f"{number}:"), stamp)
    time.sleep(0.001)
"""


def killed_recorder(folder, seconds):
    """A recorder in a process of its own, killed while it writes; the file, and when it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    path = Path(process.stdout.readline().strip())
    deadline = time.monotonic() + 20
    while not path.exists() or path.stat().st_size < 200_000:
        assert time.monotonic() < deadline, "nothing is written"
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    when = time.time_ns()
    process.wait()
    process.stdout.close()
    return path, when


def play(path):
    """How many pictures a camera that plays recordings gets of a file."""
    source, played = BagSource(CameraParams(), str(path)), 0
    source.open()
    try:
        while True:
            assert source.read().image.shape == (120, 160, 3)
            played += 1
    except EndOfSource:
        return played
    finally:
        source.close()


@pytest.mark.parametrize("attempt", range(4))
def test_readable_after_kill_9_at_any_moment(tmp_path, attempt):
    path, when = killed_recorder(tmp_path, random.Random(attempt).uniform(0, 1.5))
    assert not has_end(path.open("rb"))
    # As it is, with what plays recordings here:
    played = play(path)
    assert played > 5
    # After the next start, in every reader:
    clock = SystemClock()
    recorder = FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), clock)
    recorder.close()
    content = read(path)
    numbers = content.numbers()
    assert numbers == list(range(1, len(numbers) + 1))
    assert content.words("/card") == ["the card"]
    assert len(content.messages["/camera/image_raw/compressed"]) >= played
    assert when - content.times["/words"][-1] < 1.5e9  # half a second, and what a busy machine adds
    assert recorder.status.files == 1


def write(path, chunks=5, each=20):
    file = McapFile(path)
    file.add_metadata("edge_ai_flight", {"reason": "test"})
    number = 0
    for _ in range(chunks):
        for _ in range(each):
            number += 1
            words = f"{number}:".encode()
            file.add(
                "/words",
                "std_msgs/msg/String",
                b"\0\1\0\0" + bytes([len(words) + 1, 0, 0, 0]) + words + b"\0",
                number,
                1,
            )
            file.add("/other", "std_msgs/msg/String", b"\0\1\0\0\1\0\0\0\0", number, 1)
        file.commit()
    return file


def test_cut_at_any_byte(tmp_path):
    """What is whole is there, what is not is gone, and there is an end; wherever the file breaks off."""
    path = tmp_path / "x.mcap"
    write(path).finish()
    whole = path.read_bytes()
    last = 0
    for size in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:size])
        held = repair(path)
        assert held is not None
        assert held >= last
        assert path.exists() == (held > 0)
        if held:
            content = read(path)
            assert content.summary.statistics.message_count == held
            assert content.numbers() == list(range(1, held // 2 + 1))
            assert content.metadata == {"edge_ai_flight": {"reason": "test"}}
        last = held
    assert last == 200


@pytest.mark.parametrize("rubbish", [bytes(5000), b"\xff" * 5000, bytes(range(256)) * 20], ids=["zeros", "ones", "any"])
def test_rubbish_behind_what_is_whole(tmp_path, rubbish):
    """As a file system leaves it after the power was cut."""
    path = tmp_path / "x.mcap"
    write(path).abandon()
    with path.open("ab") as file:
        file.write(rubbish)
    assert repair(path) == 200
    assert read(path).numbers() == list(range(1, 101))


def test_a_damaged_chunk_ends_it(tmp_path):
    path = tmp_path / "x.mcap"
    write(path).abandon()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert 0 < repair(path) < 200
    assert read(path).numbers()


def test_one_that_somebody_writes_is_left_alone(tmp_path):
    path = tmp_path / "flight_000001_x.mcap"
    file = write(path)
    assert repair(path) is None
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), SystemClock()).close()
    file.finish()
    assert read(path).numbers() == list(range(1, 101))


def test_one_that_is_whole_is_left_alone(tmp_path):
    path = tmp_path / "x.mcap"
    write(path).finish()
    before = path.read_bytes()
    assert repair(path) is None
    assert path.read_bytes() == before


def test_repairing_twice_is_as_repairing_once(tmp_path):
    path = tmp_path / "x.mcap"
    write(path).abandon()
    repair(path)
    data = path.read_bytes()
    path.write_bytes(data[:-20])  # killed while it repaired
    assert repair(path) == 200
    assert path.read_bytes() == data


def test_the_repaired_index_is_that_of_the_library(tmp_path):
    """Byte for byte but for the library's own choice of where to put groups."""
    one, two = tmp_path / "one.mcap", tmp_path / "two.mcap"
    write(one).finish()
    write(two).abandon()
    repair(two)
    summaries = []
    for path in (one, two):
        with path.open("rb") as file:
            summaries.append(make_reader(file).get_summary())
    assert summaries[0].statistics == summaries[1].statistics
    assert summaries[0].chunk_indexes == summaries[1].chunk_indexes
    assert summaries[0].channels == summaries[1].channels
    assert summaries[0].schemas == summaries[1].schemas
    assert summaries[0].metadata_indexes == summaries[1].metadata_indexes
