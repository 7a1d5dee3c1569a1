"""The last seconds of a recorder that was killed before anything made it write."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.recording import black_box, mcap_file, messages
from edge_ai.recording.black_box import BlackBox
from edge_ai.recording.disk import Folder
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder
from edge_ai.recording.repair import repair
from edge_ai.recording.ring import Entry

from .conftest import read

ROOT = Path(__file__).resolve().parents[2]
LISTEN = """
import sys, time
from edge_ai.core.clock import SystemClock
from edge_ai.recording import messages
from edge_ai.recording.disk import Folder
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder
clock = SystemClock()
recorder = FlightRecorder(RecorderParams(folder=sys.argv[1], min_free=int(sys.argv[2]), before=1.0), clock)
recorder.latch("/card", messages.STRING, messages.text("the card"), clock.stamp_ns())
number = 0
while True:
    number += 1
    recorder.put("/words", messages.STRING, messages.text(f"{number}:"), clock.stamp_ns())
    print(number, flush=True)
    time.sleep(0.01)
    if number == 200 and recorder._params.min_free:
        recorder.trigger("alert")
"""

pytestmark = pytest.mark.skipif(not black_box.SHARED_MEMORY.is_dir(), reason="no /dev/shm")


@pytest.fixture
def place(tmp_path):
    place = black_box.place_of(tmp_path)
    yield place
    assert not place.exists() or not list(place.iterdir()), "something is left in shared memory"
    shutil.rmtree(place, ignore_errors=True)


def killed(folder, kind, messages, min_free=0):
    """A recorder that nobody triggered, killed after so many messages; the last one's number."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(folder), str(min_free)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    last = next(int(line) for line in process.stdout if int(line) >= messages)
    os.kill(process.pid, kind)
    last = max([last, *(int(line) for line in process.stdout)])
    process.wait()
    process.stdout.close()
    return last


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGSEGV])
def test_the_next_start_records_the_death_of_the_last_one(tmp_path, place, kind):
    last = killed(tmp_path, kind, 250)
    recorder = FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), SystemClock())
    recorder.close()
    (path,) = tmp_path.iterdir()
    assert "crash-the-recorder-s-process-died" in path.name
    content = read(path)
    numbers = content.numbers()
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert last - numbers[-1] < 150  # half a second, and what a busy machine adds
    assert len(numbers) > 50
    assert content.words("/card") == ["the card"]
    assert content.metadata["edge_ai_flight"]["reason"].startswith("crash")
    assert recorder.status.files == 1


def test_a_copy_is_kept_until_a_recording_has_all_of_it(tmp_path, place):
    """Killed while the disk had no room for the recording of an alert."""
    killed(tmp_path, signal.SIGKILL, 260, min_free=1 << 30)
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), SystemClock()).close()
    (path,) = tmp_path.iterdir()
    assert set(range(120, 140)) <= set(read(path).numbers())


def test_where_there_is_no_room_at_the_next_start_the_newest_copy_waits_for_a_later_one(tmp_path, place):
    first = killed(tmp_path, signal.SIGKILL, 100)
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=1 << 40), SystemClock()).close()
    assert len(list(place.glob("box-*"))) == 1
    last = killed(tmp_path, signal.SIGKILL, first + 100, min_free=1 << 40)
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=1 << 40), SystemClock()).close()
    assert len(list(place.glob("box-*"))) == 1
    assert not list(tmp_path.iterdir())
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), SystemClock()).close()
    (path,) = tmp_path.iterdir()
    assert first < read(path).numbers()[-1] <= last


def test_a_copy_that_cannot_be_made_a_recording_costs_neither_the_next_copy_nor_files(tmp_path, place, monkeypatch):
    killed(tmp_path, signal.SIGKILL, 100)
    params = RecorderParams(folder=str(tmp_path), min_free=0)
    with monkeypatch.context() as patch:
        patch.setattr(mcap_file, "schema_text", no_definition)
        box = black_box.box_for(Folder(tmp_path), params)
    assert box is not None
    box.close()
    assert not list(tmp_path.iterdir())
    assert not [one for one in opened() if one.startswith((str(tmp_path), str(place)))]
    FlightRecorder(params, SystemClock()).close()
    assert len(list(tmp_path.iterdir())) == 1


def no_definition(schema):
    raise EdgeAIError(f"no definition of '{schema}'")


def opened():
    """Paths that this process has open."""
    for one in Path("/proc/self/fd").iterdir():
        try:
            yield str(one.readlink())
        except OSError:
            continue


def test_who_does_not_want_it_gets_none(tmp_path, place):
    killed(tmp_path, signal.SIGKILL, 100)
    params = RecorderParams(folder=str(tmp_path), min_free=0, triggers=["alert"])
    FlightRecorder(params, SystemClock()).close()
    assert not list(tmp_path.iterdir())


def test_one_that_lives_is_left_alone_and_one_that_ends_leaves_nothing(tmp_path, place):
    clock = SystemClock()
    first = FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), clock)
    first.put("/words", messages.STRING, messages.text("1:"), clock.stamp_ns())
    deadline = time.monotonic() + 10
    while not list(place.glob("box-*/*.mcap")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    FlightRecorder(RecorderParams(folder=str(tmp_path), min_free=0), clock).close()
    assert len(list(place.glob("box-*"))) == 1
    first.close()
    assert not list(tmp_path.iterdir())


def test_without_the_parameter_there_is_no_copy(tmp_path, place):
    FlightRecorder(RecorderParams(folder=str(tmp_path), black_box=False), SystemClock()).close()


def entry(number, size):
    data = messages.text("x" * size)
    return Entry(number, number * NS // 10, number, "/words", messages.STRING, data, published_ns=number)


def test_the_copy_is_bounded_in_time_and_bytes(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    box = BlackBox(place, 300_000)
    try:
        for number in range(1, 400):
            box.keep([entry(number, 100)], [], 2 * NS)
            if number % 37 == 0:
                assert 20 <= held(place) <= 33  # two seconds, and at most half as much again
        box.keep([entry(400 + number, 10_000) for number in range(100)], [], 1000 * NS)
        assert sum(path.stat().st_size for path in place.rglob("*.mcap")) < 350_000
    finally:
        box.close()
    assert not place.exists()


@pytest.fixture
def little_memory(tmp_path, monkeypatch):
    """Shared memory as a container has it."""
    mount = tmp_path / "shm"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(mount)], check=False).returncode:
        pytest.skip("may not mount")
    monkeypatch.setattr(black_box, "SHARED_MEMORY", mount)
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=False)


def test_shared_memory_is_left_to_those_who_need_it_more(little_memory, tmp_path):
    folder, params = Folder(tmp_path / "recordings"), RecorderParams(folder=str(tmp_path / "recordings"))
    box = black_box.box_for(folder, params)
    box.keep([entry(number, 100_000) for number in range(1, 300)], [], 1000 * NS)
    assert shutil.disk_usage(little_memory).free > 10 << 20
    assert held(little_memory) > 10
    box.close()
    (little_memory / "full").write_bytes(bytes(14 << 20))
    assert black_box.box_for(folder, params) is None


def held(folder):
    """How many messages the files hold, which stay as they are."""
    count = 0
    for path in folder.rglob("*.mcap"):
        copy = folder.parent / f"copy-{folder.name}.mcap"
        copy.write_bytes(path.read_bytes())
        count += repair(copy) or 0
        copy.unlink(missing_ok=True)
    return count


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(black_box, "SHARED_MEMORY", tmp_path)
    (tmp_path / f"edge_ai-{os.geteuid()}").symlink_to("/tmp")
    assert black_box.place_of(Path("/recordings")) is None
    monkeypatch.setattr(black_box, "SHARED_MEMORY", tmp_path / "missing")
    assert black_box.place_of(Path("/recordings")) is None
