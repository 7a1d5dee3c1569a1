"""Robots that are processes of this machine."""

import contextlib
import os
import signal
import sys

import psutil
import pytest
from canary_fleet import wait_until

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.canary.target import make_target

ROBOT = Host(name="one", address="127.0.0.1:1")
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)", "{release}", "{host}", "{address}"]


@pytest.fixture
def robots(tmp_path):
    def robots(command=SLEEP):
        return make_target({"kind": "processes", "command": command, "folder": str(tmp_path)})

    yield robots
    robots().roll_back("", ROBOT)


def number(tmp_path):
    return int((tmp_path / "one").read_text().split()[0])


def test_a_robot_changes_its_release_and_goes_back(robots, tmp_path):
    target = robots()
    assert target.version(ROBOT) == ""
    target.apply("1", ROBOT)
    first = number(tmp_path)
    target.apply("1", ROBOT)
    assert number(tmp_path) == first
    target.apply("2", ROBOT)
    assert target.version(ROBOT) == "2"
    assert not psutil.pid_exists(first)
    target.roll_back("1", ROBOT)
    assert robots().version(ROBOT) == "1"
    target.roll_back("", ROBOT)
    assert target.version(ROBOT) == ""


def test_its_command_is_filled_in(robots, tmp_path):
    target = robots()
    target.apply("1", ROBOT)
    process = psutil.Process(number(tmp_path))
    wait_until(lambda: process.cmdline()[-3:] == ["1", "one", "127.0.0.1:1"], "it runs")


def test_other_braces_are_the_command_s_own(robots, tmp_path):
    target = robots([*SLEEP, '{"a": {release}}', "{other}"])
    target.apply("1", ROBOT)
    process = psutil.Process(number(tmp_path))
    wait_until(lambda: process.cmdline()[-2:] == ['{"a": 1}', "{other}"], "it runs")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    target = make_target({"kind": "processes", "command": SLEEP, "folder": str(tmp_path / "file" / "robots")})
    with pytest.raises(DeploymentError, match=r"Not a directory.*target\.folder"):
        target.apply("1", ROBOT)


def test_one_that_was_killed_runs_nothing(robots, tmp_path):
    target = robots()
    target.apply("1", ROBOT)
    os.kill(number(tmp_path), signal.SIGKILL)
    wait_until(lambda: target.version(ROBOT) == "", "it is gone")
    target.apply("1", ROBOT)
    assert target.version(ROBOT) == "1"


def test_another_process_with_its_number_is_not_it(robots, tmp_path):
    (tmp_path / "one").write_text(f"{os.getpid()}\n1\n")
    os.utime(tmp_path / "one", (0, 0))
    assert robots().version(ROBOT) == ""


def test_a_release_that_ends_at_once_runs_nothing(robots):
    target = robots([sys.executable, "-c", "raise SystemExit(1)"])
    with contextlib.suppress(DeploymentError):  # raised where it ended before anybody could look
        target.apply("1", ROBOT)
    wait_until(lambda: target.version(ROBOT) == "", "it is gone")
