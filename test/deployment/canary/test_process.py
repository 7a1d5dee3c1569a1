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


def number(target):
    (process,) = target.process(ROBOT).processes()
    return process.pid


def test_a_robot_changes_its_release_and_goes_back(robots):
    target = robots()
    assert target.version(ROBOT) == ""
    target.apply("1", ROBOT)
    first = number(target)
    target.apply("1", ROBOT)
    assert number(target) == first
    target.apply("2", ROBOT)
    assert target.version(ROBOT) == "2"
    assert not psutil.pid_exists(first)
    target.roll_back("1", ROBOT)
    assert robots().version(ROBOT) == "1"
    target.roll_back("", ROBOT)
    assert target.version(ROBOT) == ""


def test_its_command_is_filled_in(robots):
    target = robots()
    target.apply("1", ROBOT)
    process = psutil.Process(number(target))
    wait_until(lambda: process.cmdline()[-3:] == ["1", "one", "127.0.0.1:1"], "it runs")


def test_other_braces_are_the_command_s_own(robots):
    target = robots([*SLEEP, '{"a": {release}}', "{other}"])
    target.apply("1", ROBOT)
    process = psutil.Process(number(target))
    wait_until(lambda: process.cmdline()[-2:] == ['{"a": 1}', "{other}"], "it runs")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    target = make_target({"kind": "processes", "command": SLEEP, "folder": str(tmp_path / "file" / "robots")})
    with pytest.raises(DeploymentError, match=r"Not a directory.*target\.folder"):
        target.apply("1", ROBOT)


def test_one_that_was_killed_runs_nothing(robots):
    target = robots()
    target.apply("1", ROBOT)
    os.kill(number(target), signal.SIGKILL)
    wait_until(lambda: target.version(ROBOT) == "", "it is gone")
    target.apply("1", ROBOT)
    assert target.version(ROBOT) == "1"


def test_a_robot_of_the_same_name_in_another_folder_is_not_it(robots, tmp_path):
    other = make_target({"kind": "processes", "command": SLEEP, "folder": str(tmp_path / "other")})
    other.apply("1", ROBOT)
    assert robots().version(ROBOT) == ""
    robots().roll_back("", ROBOT)
    assert other.version(ROBOT) == "1"
    other.roll_back("", ROBOT)


def test_a_release_that_ends_at_once_runs_nothing(robots):
    target = robots([sys.executable, "-c", "raise SystemExit(1)"])
    with contextlib.suppress(DeploymentError):  # raised where it ended before anybody could look
        target.apply("1", ROBOT)
    wait_until(lambda: target.version(ROBOT) == "", "it is gone")
