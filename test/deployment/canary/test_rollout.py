"""Rollouts over robots that are made up, with figures that are made up; the rest is real.

What Prometheus answers for real is in test/system/test_canary.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.evaluation import Evaluation
from edge_ai.deployment.canary.log import Log, page, read_entries
from edge_ai.deployment.canary.plan import Plan
from edge_ai.deployment.canary.rollout import Rollout
from edge_ai.deployment.canary.state import Phase, State
from edge_ai.deployment.journal import Journal

POWER_CUTS = Path(__file__).with_name("power_cuts.py")
ERRORS = {"name": "errors", "bad": "a{$group}", "total": "b{$group}", "limit": 0.01}


class Fleet:
    """Robots with releases in memory; those in `gone` cannot be reached. They fare as `bad` and `total` say."""

    def __init__(self, *names):
        self.runs = dict.fromkeys(names, "1")
        self.gone, self.gone_while_applying, self.silent, self.bad = set(), set(), set(), {}
        self.total = 9000.0
        self.waited = 0.0

    def version(self, host):
        if host.name in self.gone:
            raise DeploymentError(f"robot '{host.name}' cannot be reached")
        return self.runs[host.name]

    def apply(self, release, host):
        if host.name in self.gone_while_applying:
            self.gone.add(host.name)
        self.version(host)
        self.runs[host.name] = release

    roll_back = apply

    def evaluate(self, criteria, canary, stable, window):
        return Evaluation(*({"errors": self._figures(hosts)} for hosts in (canary, stable)))

    def _figures(self, hosts):
        told = [host.name for host in hosts if host.name not in self.silent]
        return {name: (self.bad.get(self.runs[name], 0.0) * self.total, self.total) for name in told}

    def wait(self, seconds):
        self.waited += seconds


@pytest.fixture
def fleet():
    return Fleet("a", "b", "c", "d")


@pytest.fixture
def rollout(fleet, tmp_path):
    """Does something with a rollout as a process of its own would; gives the phase."""

    def rollout(what="begin", **changes):
        judge = {"least_windows": 1, "frame_block": 1}
        plan = {"release": "2", "hosts": list(fleet.runs), "target": {}, "criteria": [ERRORS], "judge": judge}
        times = {"interval": 1.0, "least": 4.0, "patience": 20.0, "settle": 5.0, "stages": [25, 50, 100]}
        with Journal(tmp_path / "journal").opened() as journal:
            log = Log(journal, lambda line: None)
            return getattr(Rollout(Plan(**{**plan, **times, **changes}), fleet, fleet, log, fleet.wait), what)()

    return rollout


@pytest.fixture
def journal(tmp_path):
    return lambda: read_entries(tmp_path / "journal")


def steps(entries):
    return [entry.step for entry in entries if entry.step != "evaluated"]


def test_a_good_release_goes_stage_by_stage_onto_all_robots(rollout, fleet, journal):
    assert rollout() is Phase.PROMOTED
    assert set(fleet.runs.values()) == {"2"}
    stages = [entry for entry in journal() if entry.step in ("stage", "applied")]
    assert [entry.facts.get("stage", entry.facts.get("robot")) for entry in stages] == [0, "a", 1, "b", 2, *"cd"]
    assert fleet.waited > 3 * (5.0 + 4.0)
    again = len(journal())
    assert rollout() is Phase.PROMOTED
    assert len(journal()) == again


def test_a_bad_release_is_taken_back_at_the_first_look(rollout, fleet, journal):
    fleet.bad["2"] = 0.05
    assert rollout() is Phase.ROLLED_BACK
    assert set(fleet.runs.values()) == {"1"}
    assert steps(journal())[-3:] == ["rolling back", "went back", "rolled back"]
    assert journal()[-1].facts["reason"] == "limit breached: errors 0.05 > 0.01 on a"
    assert [entry.step for entry in journal()].count("evaluated") == 2  # as they are, and once with it
    assert 5.0 < fleet.waited < 5.5  # not even an interval


def test_a_release_that_is_within_limits_and_worse_than_the_others_is_taken_back(rollout, fleet, journal):
    fleet.bad |= {"1": 0.0001, "2": 0.008}
    judge = {"least_windows": 1, "frame_block": 1, "rate_tolerance": 0.001}
    assert rollout(judge=judge) is Phase.ROLLED_BACK
    assert "worse than the stable group: errors" in journal()[-1].facts["reason"]


def test_robots_that_are_not_well_before_are_left_alone(rollout, fleet, journal):
    fleet.bad["1"] = 0.05
    assert rollout() is Phase.REFUSED
    assert steps(journal()) == ["planned", "refused"]
    assert set(fleet.runs.values()) == {"1"}


@pytest.mark.parametrize(("total", "words"), [(0.0, "no events"), (10.0, "fewer than 300 events")])
def test_robots_without_traffic_are_left_alone_and_it_asks(rollout, fleet, journal, total, words):
    fleet.total = total
    assert rollout() is Phase.UNDECIDED
    assert f"errors: {words} of a, b, c, d" in journal()[-1].facts["reason"]
    assert set(fleet.runs.values()) == {"1"}


def test_a_canary_that_falls_silent_is_never_promoted(rollout, fleet, journal):
    fleet.wait = lambda seconds: fleet.silent.add("a")
    assert rollout() is Phase.HOLDING
    assert ": errors: no figures of a" in journal()[-1].facts["reason"]
    assert list(fleet.runs.values()) == ["2", "1", "1", "1"]
    fleet.wait = lambda seconds: fleet.silent.clear()
    assert rollout("resume") is Phase.PROMOTED


def test_without_a_stable_group_to_compare_with_it_holds(rollout, fleet, journal):
    fleet.wait = lambda seconds: fleet.silent.update("bcd")
    assert rollout() is Phase.HOLDING
    assert "stable" in journal()[-1].facts["reason"]


def test_the_operator_promotes_what_the_evidence_does_not(rollout, fleet, journal):
    fleet.wait = lambda seconds: fleet.silent.add("a")
    assert rollout() is Phase.HOLDING
    assert rollout("promote") is Phase.HOLDING
    assert list(fleet.runs.values()) == ["2", "2", "1", "1"]
    assert rollout("promote") is Phase.HOLDING
    assert rollout("promote") is Phase.PROMOTED
    assert [entry.facts["reason"] for entry in journal() if entry.step == "promoted"] == ["asked for by the operator"]


def test_the_operator_takes_back_what_is_held(rollout, fleet, journal):
    fleet.wait = lambda seconds: fleet.silent.add("a")
    assert rollout() is Phase.HOLDING
    assert rollout("abort") is Phase.ROLLED_BACK
    assert set(fleet.runs.values()) == {"1"}
    assert journal()[-1].facts["reason"] == "asked for by the operator"


def test_a_robot_that_cannot_be_reached_is_passed_over_until_the_end(rollout, fleet, journal):
    fleet.gone = {"a"}
    assert rollout() is Phase.HOLDING
    assert fleet.runs == {"a": "1", "b": "2", "c": "2", "d": "2"}
    assert journal()[-1].facts["reason"].endswith("never reached: a")
    fleet.gone.clear()
    assert rollout("resume") is Phase.PROMOTED
    assert fleet.runs["a"] == "2"


def test_a_robot_lost_while_it_takes_the_release_on_is_no_canary_and_goes_back_with_the_others(rollout, fleet, journal):
    fleet.gone_while_applying = {"a"}
    fleet.bad["2"] = 0.05
    assert rollout() is Phase.ROLLING_BACK
    lost = State.of(journal())
    assert lost.on == ["b"]
    assert list(lost.before) == ["a"]
    assert fleet.runs["b"] == "1"
    assert [entry.facts["robot"] for entry in journal() if entry.step == "not back"] == ["a"] * 3
    with pytest.raises(DeploymentError, match="--resume it"):
        rollout()
    fleet.gone, fleet.gone_while_applying = set(), set()
    fleet.runs["a"] = "2"
    assert rollout("resume") is Phase.ROLLED_BACK
    assert set(fleet.runs.values()) == {"1"}


def test_where_no_stable_robot_is_left_too_early_it_holds(rollout, fleet, journal):
    fleet.runs = dict.fromkeys("ab", "1")
    fleet.gone_while_applying = {"a"}
    assert rollout(stages=[50, 100]) is Phase.HOLDING
    assert "no traffic at stable" in journal()[-1].facts["reason"]
    assert steps(journal()).count("stage") == 1


def test_a_robot_that_got_the_release_from_somebody_else_meanwhile_is_left_alone(rollout, fleet, journal):
    fleet.gone = {"a"}

    def wait(seconds):
        fleet.gone.clear()
        fleet.runs["a"] = "2"

    fleet.wait = wait
    assert rollout() is Phase.HOLDING
    assert journal()[-1].facts["reason"].endswith("never reached: a")
    assert rollout("abort") is Phase.ROLLED_BACK
    assert fleet.runs == {"a": "2", "b": "1", "c": "1", "d": "1"}


def test_where_no_robot_can_be_reached_any_more_it_holds(rollout, fleet, journal):
    fleet.gone_while_applying = set("abcd")
    assert rollout() is Phase.HOLDING
    assert "no robot can be reached" in journal()[-1].facts["reason"]


def test_where_no_robot_can_be_reached_nothing_begins(rollout, fleet, journal):
    fleet.gone = set("abcd")
    with pytest.raises(DeploymentError, match="cannot be reached"):
        rollout()
    assert journal() == []


def test_a_robot_that_says_it_runs_something_else_takes_the_release_back(rollout, fleet, journal):
    fleet.apply = lambda release, host: None
    assert rollout() is Phase.ROLLED_BACK
    assert "does not run on a: robot 'a': got '1'; wanted '2' to run on it" in journal()[-1].facts["reason"]


def test_a_canary_that_went_back_by_itself_takes_the_release_back_from_all(rollout, fleet, journal):
    def wait(seconds):
        if fleet.runs["b"] == "2":
            fleet.runs["a"] = "1"

    fleet.wait = wait
    assert rollout() is Phase.ROLLED_BACK
    assert set(fleet.runs.values()) == {"1"}
    assert "another release runs on a" in journal()[-1].facts["reason"]


def test_robots_that_run_it_already_have_nothing_to_go_back_to(rollout, fleet, journal):
    fleet.runs["c"] = "2"
    with pytest.raises(DeploymentError, match="on c already"):
        rollout()
    assert journal() == []


def test_a_plan_of_another_rollout_never_goes_on_with_this_one(rollout, fleet):
    fleet.wait = lambda seconds: fleet.silent.add("a")
    assert rollout() is Phase.HOLDING
    for what in ("resume", "promote", "abort"):
        with pytest.raises(DeploymentError, match="release '2'"):
            rollout(what, release="3")
    with pytest.raises(DeploymentError, match="--resume it"):
        rollout(release="3")


def test_with_other_criteria_the_evidence_begins_anew(rollout, fleet, journal):
    fleet.wait = lambda seconds: fleet.silent.add("a")
    assert rollout() is Phase.HOLDING
    assert State.of(journal()).evaluations
    other = {**ERRORS, "name": "faults"}
    fleet.evaluate = lambda criteria, canary, stable, window: Evaluation()
    assert rollout("resume", criteria=[other]) is Phase.HOLDING
    assert "other criteria" in steps(journal())
    assert len(State.of(journal()).evaluations) == 20


def test_without_anything_under_way_there_is_nothing_to_resume(rollout):
    for what in ("resume", "promote", "abort"):
        with pytest.raises(DeploymentError, match="nothing under way"):
            rollout(what)


def test_the_log_reads_as_it_was_decided(rollout, fleet, journal):
    fleet.bad["2"] = 0.05
    rollout()
    text = "\n".join(page(journal()))
    assert "stage 1: the robots are well as they are" in text
    assert "errors: canary 450 of 9000, stable 0 of 27000" in text
    assert "rolled back: limit breached: errors 0.05 > 0.01 on a" in text


@pytest.mark.parametrize(
    ("release", "second", "end"),
    [
        ("good", [], ["PROMOTED", ["good"]]),
        ("bad", ["3"], ["ROLLED_BACK", ["old"]]),
        ("refused", [], ["ROLLED_BACK", ["old"]]),
    ],
)
def test_killed_at_every_step_it_ends_as_if_nothing_had_been(tmp_path, release, second, end):
    words = [sys.executable, POWER_CUTS, tmp_path, release, *second]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["ends"] == [[*end, True]] * (found["cuts"] + 1)
    assert found["cuts"] >= 20
