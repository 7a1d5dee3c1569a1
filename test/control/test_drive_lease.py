"""One controller drives, whatever happens to the others."""

import os
import signal
import subprocess
import sys

import pytest

from edge_ai.control.drive_lease import DriveLease
from edge_ai.core.errors import EdgeAIError

HOLD = (
    "import sys; from pathlib import Path; from edge_ai.control.drive_lease import DriveLease\n"
    "lease = DriveLease(Path(sys.argv[1])); lease.take(); print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "drive.lock"


@pytest.fixture
def other(path):
    """Another process that drives."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.communicate()


def test_who_comes_second_is_told_who_drives(path, other):
    lease = DriveLease(path)
    with pytest.raises(EdgeAIError, match=f"process {other.pid}"):
        lease.take()
    assert not lease.held


def test_it_is_free_again_when_the_driver_lets_go(path):
    first, second = DriveLease(path), DriveLease(path)
    first.take()
    first.take()
    with pytest.raises(EdgeAIError, match="another controller"):
        second.take()
    first.release()
    first.release()
    second.take()
    assert second.held
    assert not first.held


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV])
def test_the_kernel_takes_it_back_from_one_that_dies(path, other, sign):
    other.send_signal(sign)
    other.wait()
    lease = DriveLease(path)
    lease.take()
    assert lease.held


def test_a_child_of_the_driver_does_not_keep_it(path):
    lease = DriveLease(path)
    lease.take()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lease.release()
        other = DriveLease(path)
        other.take()
        assert other.held
    finally:
        child.communicate(b"\n")


def test_a_child_that_is_being_started_does_not_keep_it(path):
    """Between fork and exec it has the file, too."""
    lease = DriveLease(path)
    lease.take()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        lease.release()
        other = DriveLease(path)
        other.take()
        assert other.held
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)


def test_who_finds_the_file_removed_takes_the_new_one(path):
    first, second = DriveLease(path), DriveLease(path)
    first.take()
    path.unlink()
    assert first.keep()
    with pytest.raises(EdgeAIError, match="another controller"):
        second.take()


def test_two_never_drive_on_because_the_file_was_removed(path):
    first, second = DriveLease(path), DriveLease(path)
    first.take()
    path.unlink()
    second.take()
    assert not first.keep()
    assert not first.held
    assert second.keep()


def test_a_lease_that_is_not_held_is_not_taken_by_keeping_it(path):
    assert not DriveLease(path).keep()
    assert not path.exists()


def test_sides_tell_by_its_identity_that_they_exclude_each_other(tmp_path, path):
    first, second, elsewhere = DriveLease(path), DriveLease(path), DriveLease(tmp_path / "elsewhere.lock")
    assert first.identity == ""
    first.take()
    elsewhere.take()
    assert first.identity == second.identity != elsewhere.identity


def test_each_robot_of_this_user_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert DriveLease.of("7/cmd_vel").path == DriveLease.of("7/cmd_vel").path
    assert len({DriveLease.of(wheels).path for wheels in ("7/cmd_vel", "8/cmd_vel", "7/rover/cmd_vel")}) == 3


def test_nobody_drives_where_the_file_cannot_be_had(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EdgeAIError, match="XDG_RUNTIME_DIR"):
        DriveLease(tmp_path / "file" / "drive.lock").take()


def test_another_user_or_folder_is_no_way_around_it(tmp_path, monkeypatch):
    wheels = f"test {tmp_path}/cmd_vel"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "service"))
    service = DriveLease.of(wheels)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "shell"))
    shell, other = DriveLease.of(wheels), DriveLease.of(f"other {wheels}")
    assert service.path != shell.path
    service.take()
    with pytest.raises(EdgeAIError, match="another controller that has it, on this machine"):
        shell.take()
    other.take()
    service.release()
    shell.take()


def test_a_file_that_cannot_be_had_leaves_the_name_to_others(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EdgeAIError, match="XDG_RUNTIME_DIR"):
        DriveLease(tmp_path / "file" / "drive.lock", f"test {tmp_path}").take()
    DriveLease(tmp_path / "drive.lock", f"test {tmp_path}").take()
