"""Rollouts as an operator starts them: the command, a real Prometheus, robots with the monitor's real metrics."""

import os
import signal
import subprocess
import sys

import pytest
from canary_fleet import PROMETHEUS, CanaryFleet, wait_until

from edge_ai.cli.main import main
from edge_ai.deployment.canary.criteria import DEFAULTS
from edge_ai.deployment.canary.log import read_entries

pytest.importorskip("httpx")
pytestmark = pytest.mark.skipif(not PROMETHEUS.exists(), reason="no Prometheus; tools/programs.py fetches Debian's")
# Evidence on one latency each interval takes its time: here only the errors are compared.
EASY = {
    "criteria": [{**one.model_dump(), "compared": one.name == "error rate"} for one in DEFAULTS],
    "judge": {"rate_tolerance": 0.05},
    "stages": [30, 100],
}
OLD = ["1", "1", "1"]


class Operator:
    """Has a fleet and starts the command."""

    def __init__(self, fleet, capsys):
        self.fleet, self._capsys = fleet, capsys
        self.plan = None

    def deploy(self, *options):
        """Run it; gives its exit status and what it said."""
        status = main(["deploy", "canary", str(self.plan), *options])
        said = self._capsys.readouterr()
        return status, said.out + said.err

    def begin(self, *options):
        """Start it as a process and go on."""
        words = [sys.executable, "-m", "edge_ai.cli.main", "deploy", "canary", str(self.plan), *options]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def entries(self, *steps):
        """Of the journal, of these steps."""
        path = self.fleet.folder / "plan.journal.jsonl"
        return [one for one in read_entries(path) if one.step in steps]

    def reached(self, step, count=1):
        wait_until(lambda: len(self.entries(step)) >= count, f"{count} x '{step}'")

    def releases(self):
        return list(self.fleet.runs().values())


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with CanaryFleet(tmp_path_factory.mktemp("fleet"), OLD) as fleet:
        yield fleet


@pytest.fixture
def operator(fleet, capsys):
    (fleet.folder / "plan.journal.jsonl").unlink(missing_ok=True)
    fleet.reset()
    return Operator(fleet, capsys)


def test_a_good_release_reaches_all_robots_though_the_deployer_is_killed_again_and_again(operator):
    operator.plan = operator.fleet.plan("2", **EASY)
    status, text = operator.deploy("--dry-run")
    assert (status, "stage 2: 2 on robot1, robot2, robot3\n" in text) == (0, True)
    assert operator.entries("planned") == []
    for options, step, count in (([], "applying", 1), (["--resume"], "evaluated", 4)):
        deployer = operator.begin(*options)
        operator.reached(step, count)
        os.kill(deployer.pid, signal.SIGKILL)
        deployer.wait()
    assert operator.deploy()[0] == 1  # one is under way
    status, text = operator.deploy("--resume")
    assert status == 0, text
    assert operator.releases() == ["2", "2", "2"]
    assert "release 2: on all robots" in operator.deploy("--status")[1]


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("2-errors", "limit breached: error rate 0.04"),
        ("2-slow", "limit breached: latency 0.15 > 0.1 on robot1"),
        ("2-hungry", "limit breached: cpu 0.95 > 0.8 on robot1"),
    ],
)
def test_a_bad_release_is_taken_back_after_one_evaluation_and_the_log_says_why(operator, release, words):
    operator.plan = operator.fleet.plan(release)
    assert operator.deploy()[0] == 1
    assert operator.releases() == OLD
    assert len(operator.entries("evaluated")) == 2  # as the robots were before, and once with it
    assert words in operator.entries("rolled back")[0].facts["reason"]


def test_a_release_that_does_nothing_neither_passes_nor_fails(operator):
    operator.plan = operator.fleet.plan("2-idle", patience=2.0)
    status, text = operator.deploy()
    assert status == 3
    assert "no events of robot1" in text
    assert operator.releases() == ["2-idle", "1", "1"]
    assert operator.deploy("--abort")[0] == 1
    assert operator.releases() == OLD


def test_a_metric_that_does_not_exist_is_named_before_anything_is_done(operator):
    wrong = {"name": "typo", "query": "edge_ai_cpu_usage{$group}", "limit": 0.8}
    operator.plan = operator.fleet.plan("2", criteria=[wrong])
    status, text = operator.deploy()
    assert status == 3
    assert "typo: query 'edge_ai_cpu_usage{$group}': got nothing for robot1 and 2 more" in text
    assert operator.releases() == OLD


@pytest.mark.parametrize(("lost", "words"), [(["robot1"], "robot1"), (["robot2", "robot3"], "stable")])
def test_when_a_whole_group_falls_silent_nothing_is_promoted(operator, lost, words):
    operator.plan = operator.fleet.plan("2", stages=[30, 100], patience=2.0)
    deployer = operator.begin()
    operator.reached("watching")
    for robot in lost:
        operator.fleet.kill(robot)
    assert deployer.wait(30) == 3
    assert words in operator.entries("holding")[0].facts["reason"]
    assert len(operator.entries("stage")) == 1


def test_without_prometheus_it_holds_and_asks(operator):
    operator.plan = operator.fleet.plan("2", **EASY, patience=2.0)
    deployer = operator.begin()
    operator.reached("watching")
    operator.fleet.stop_prometheus()
    assert deployer.wait(60) == 3
    assert operator.releases() == ["2", "1", "1"]
    assert "Prometheus at" in operator.entries("holding")[0].facts["reason"]
