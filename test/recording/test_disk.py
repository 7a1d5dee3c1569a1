"""Disks that are small, full, slow or gone."""

import errno
import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.recording import mcap_file
from edge_ai.recording.disk import Folder
from edge_ai.recording.mcap_file import McapFile
from edge_ai.recording.params import MIB
from edge_ai.recording.repair import has_end, repair

from .conftest import read

ROOT = Path(__file__).resolve().parents[2]


def test_names_are_in_the_order_of_recording_whatever_the_clock_says(tmp_path):
    folder = Folder(tmp_path)
    first, second = folder.name(2_000_000_000 * 10**9, "now"), folder.name(0, "Alert: CPU 97 %!")
    first.write_text("1")
    second.write_text("22")
    assert [stored.path for stored in folder.recordings()] == [first, second]
    assert second.name == "flight_000002_19700101T000000Z_alert-cpu-97.mcap"
    assert Folder(tmp_path).name(0, "").name.startswith("flight_000003_")


def test_the_oldest_go_and_foreign_files_stay(tmp_path):
    folder = Folder(tmp_path)
    paths = [folder.name(0, "x") for _ in range(4)]
    for path in paths:
        path.write_bytes(bytes(100))
    kept = tmp_path / "flight_of_the_bumblebee.mcap"
    kept.write_bytes(bytes(1000))
    folder.make_room(150, paths[-1], 400, 0)
    assert [path.exists() for path in paths] == [False, False, True, True]
    assert kept.exists()


def test_the_one_being_written_is_never_deleted(tmp_path):
    folder = Folder(tmp_path)
    path = folder.name(0, "x")
    path.write_bytes(bytes(100))
    with pytest.raises(OSError, match="max_disk"):
        folder.make_room(1, path, 100, 0)
    with pytest.raises(OSError, match="min_free"):
        folder.make_room(1, path, 1000, 1 << 60)
    assert path.exists()


def test_what_another_recorder_is_writing_is_not_deleted(tmp_path):
    folder = Folder(tmp_path)
    first, second = (McapFile(folder.name(0, "x")) for _ in range(2))
    second.finish()
    own = folder.name(0, "x")
    folder.make_room(200, own, 200 + first.path.stat().st_size, 0)
    assert folder.recordings()[0].path == first.path
    assert not second.path.exists()
    with pytest.raises(OSError, match="max_disk"):
        folder.make_room(1, own, 0, 0)
    first.finish()
    assert has_end_at(first.path)
    with pytest.raises(OSError, match="max_disk"):
        folder.make_room(1, own, 0, 0)
    assert not first.path.exists()


def has_end_at(path):
    with path.open("rb") as file:
        return has_end(file)


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    folder = Folder(tmp_path)
    path = folder.name(0, "x")
    McapFile(path).finish()
    assert has_end_at(path)
    folder.make_room(1, folder.name(0, "x"), 1, 0)
    assert not path.exists()


def test_a_folder_that_is_read_only(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(ParameterError, match="folder of recordings"):
        Folder(tmp_path / "inside")


def test_recordings_keep_to_their_budget(bench):
    one = bench(before=1.0, after=0.0, max_disk=3)
    for number in range(6):
        one.feed(1.0, "/camera", size=100_000)
        path = one.recorder.trigger(f"number {number}")
        one.settle()
        one.until(lambda status: status.file and Path(status.file).exists())
        assert one.recorder.status.disk_bytes <= 3 * MIB
    left = sorted(path.parent.iterdir())
    assert len(left) == 2  # each a megabyte, and room for a chunk
    assert len(read(path).messages["/camera"]) == 10


def test_too_little_room_is_said_and_costs_nothing_else(bench):
    one = bench(before=1.0, after=0.5, min_free=1 << 40)
    one.feed(1.0)
    path = one.recorder.trigger("request")
    one.until(lambda status: "min_free" in status.fault)
    one.feed(1.0)
    one.settle()
    assert not path.exists()
    assert one.recorder.status.file == ""
    one.recorder.update(one.params)
    one.recorder.update(one.params.changed(min_free=0))
    one.feed(1.0)
    path = one.recorder.trigger("request")
    one.settle()
    assert one.recorder.status.fault == ""
    assert len(read(path).numbers()) == 10


def test_a_disk_that_comes_back_in_time_loses_nothing(bench):
    one = bench(before=1.0, after=5.0, min_free=1 << 40)
    one.feed(1.0)
    path = one.recorder.trigger("request")
    one.until(lambda status: "min_free" in status.fault)
    one.feed(1.0)
    one.recorder.update(one.params.changed(min_free=0))
    one.until(lambda status: not status.fault)
    one.feed(1.0)
    one.settle()
    assert read(path).numbers() == list(range(1, 31))


FILL = """
import sys, time
from edge_ai.core.clock import SystemClock
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder
from edge_ai.recording.disk import Folder
if len(sys.argv) > 2:
    Folder.make_room = lambda *_: None  # somebody else takes the room between the look and the write
clock = SystemClock()
recorder = FlightRecorder(RecorderParams(folder=sys.argv[1], min_free=0, before=5.0, after=60.0, max_memory=8), clock)
path = recorder.trigger("fill")
data = messages.text("y" * 50_000)
slowest, deadline = 0.0, time.monotonic() + 20
while time.monotonic() < deadline and not recorder.status.fault:
    begin = time.monotonic()
    recorder.put("/data", messages.STRING, data, clock.stamp_ns())
    slowest = max(slowest, time.monotonic() - begin)
    time.sleep(0.002)
for _ in range(500):
    recorder.put("/data", messages.STRING, data, clock.stamp_ns())
status = recorder.status
assert status.fault, status
assert status.buffered_bytes <= 8 << 20
recorder.close()
status = recorder.status
print(path, status.lost, status.fault, slowest, sep="|")
"""


def fill(folder, *command, blind=False, **options):
    done = subprocess.run(
        [*command, sys.executable, "-c", FILL, str(folder), *["blind"] * blind],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    path, lost, fault, slowest = done.stdout.strip().split("|")
    return Path(path), int(lost), fault, float(slowest)


def test_a_file_that_may_not_grow(tmp_path):
    """RLIMIT_FSIZE: each write is cut short where the file reaches 2 MB, as on a full disk."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    path, lost, fault, _ = fill(tmp_path, preexec_fn=limit)
    assert "File too large" in fault
    content = read(path)
    assert len(content.messages["/data"]) > 20
    assert path.stat().st_size <= 2_000_000
    assert lost > 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB: in a mount of our own if we are root, else in a user namespace's."""
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        yield mount, []
        subprocess.run(["umount", "-l", str(mount)], check=False)
        return
    unshare = shutil.which("unshare")
    inside = [unshare or "", "-rm", "sh", "-c", f'{" ".join(command)} && "$@" && cp -r {mount} {tmp_path}/copy', "sh"]
    if not unshare or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("neither root nor a user namespace with mounts")
    shutil.rmtree(tmp_path / "copy")
    yield mount, inside


@pytest.mark.parametrize("blind", [False, True], ids=["seen in time", "not seen"])
def test_a_disk_that_is_full(small_disk, tmp_path, blind):
    mount, command = small_disk
    path, lost, fault, _ = fill(mount, *command, blind=blind)
    assert (os.strerror(errno.ENOSPC) if blind else "min_free") in fault
    if command:
        path = tmp_path / "copy" / path.name
    content = read(path)
    assert len(content.messages["/data"]) > 20
    assert lost > 0


def test_a_disk_that_hangs_stops_nobody(bench, monkeypatch):
    """Writing into it takes until the end of the test, as on a network share that is gone."""
    gate, write = threading.Event(), os.write
    monkeypatch.setattr(mcap_file.os, "write", lambda *args: (gate.wait(30), write(*args))[1])
    one = bench(before=1.0, after=1.0, max_memory=1)
    one.feed(1.0)
    path = one.recorder.trigger("request")
    one.feed(3.0, "/camera", rate=100, size=10_000)
    assert one.recorder.status.buffered_bytes <= MIB
    assert one.recorder.status.lost > 0
    one.recorder.close(patience=0.2)  # does not wait for ever either
    gate.set()
    one.recorder.close()
    content = read(path)
    missing = content.metadata["edge_ai_flight_end"]["missing /camera"]
    numbers = content.numbers("/camera")
    assert numbers == sorted(set(numbers))
    assert int(missing) + len(numbers) >= 100


def test_the_end_of_a_file_finds_room_in_its_last_chunks(tmp_path, monkeypatch):
    """A disk so full that not even the index fits."""
    path = tmp_path / "x.mcap"
    file = mcap_file.McapFile(path)
    for number in range(50):
        file.add("/a", "std_msgs/msg/String", b"\0\1\0\0\5\0\0\0abcd\0", number, number)
        file.commit()
    file.abandon()
    assert not has_end(path.open("rb"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, before[1]))
    try:
        held = repair(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 5 < held < 50
    assert len(read(path).messages["/a"]) == held
