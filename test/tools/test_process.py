"""Running pip and colcon: quiet while they work, their last words where they fail."""

import os

import pytest


def run(tmp_path, script):
    from installer.console import Step
    from installer.process import run as run_command

    log = tmp_path / "out" / "setup.log"
    step = Step("[1/1] a step")
    command = ["sh", "-c", script]
    run_command(command, log=log, env=dict(os.environ), cwd=tmp_path, step=step, state=lambda _: "working")
    return log


def test_output_goes_to_the_log_alone(tmp_path, capfd):
    log = run(tmp_path, "echo chatter; echo noise >&2")
    assert "chatter" in log.read_text()
    assert "noise" in log.read_text()
    assert "chatter" not in "".join(capfd.readouterr())


def test_a_failure_shows_the_end_of_the_log_and_where_it_is(tmp_path):
    from installer.console import SetupError

    with pytest.raises(SetupError) as caught:
        run(tmp_path, "seq 1 99; echo the reason; exit 3")
    message = str(caught.value)
    assert "[1/1] a step failed" in message
    assert "the reason" in message
    assert "setup.log" in message
    assert "    42\n" not in message


def test_a_full_disk_is_named(tmp_path):
    from installer.console import SetupError

    with pytest.raises(SetupError, match="the disk is full"):
        run(tmp_path, "echo 'OSError: [Errno 28] No space left on device'; exit 1")


def test_another_ros_does_not_leak_in(monkeypatch):
    from installer.process import clean_environment

    for name in ("PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "ROS_DISTRO", "PIP_USER"):
        monkeypatch.setenv(name, "/opt/ros/humble")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/ros/humble/lib:/usr/local/cuda/lib64:/v/site-packages/ros_rcl.libs")
    cleaned = clean_environment({"AMENT_PREFIX_PATH": "/ours"})
    assert "/opt/ros/humble" not in cleaned.values()
    assert cleaned["LD_LIBRARY_PATH"] == "/usr/local/cuda/lib64"
    assert cleaned["AMENT_PREFIX_PATH"] == "/ours"
    assert cleaned["PATH"] == os.environ["PATH"]
