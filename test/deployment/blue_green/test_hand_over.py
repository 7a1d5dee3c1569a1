"""The hand-over of the wheels: which side is asked what, in which order, and what follows from its answers."""

import json

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.blue_green.hand_over import HandOver
from edge_ai.deployment.blue_green.plan import HandOverPlan, RosPlan
from edge_ai.deployment.containers import Execution

WHEELS = {"identity": "8:1", "path": "/run/edge_ai/drive.lock"}


class Robot:
    """A side as the hand-over sees it: it keeps what it was told; which verbs fail can be said."""

    def __init__(self, name, told, lease=WHEELS):
        self.name, self.told, self.lease = name, told, lease
        self.alive, self.fails, self.ends, self.says = True, {}, True, None

    def running(self):
        return self.alive

    def stop(self, grace):
        self.told.append(f"{self.name} ended")
        self.alive = not self.ends

    def exec(self, command, timeout):
        verb = command[3]
        self.told.append(f"{self.name} {verb}")
        self.words = list(command)
        if not self.alive:
            raise DeploymentError(f"side {self.name}", got="it does not run")
        if self.says is not None:
            return Execution(1, *self.says)
        reason = self.fails.get(verb, "")
        answer = {"ok": not reason, "message": reason, "lease": self.lease, "stood": 0.4}
        return Execution(bool(reason), f"[INFO] on its way\n{json.dumps(answer)}\n")


@pytest.fixture
def told():
    return []


@pytest.fixture
def sides(told):
    return Robot("blue", told), Robot("green", told)


@pytest.fixture
def hand_over(told):
    ros = {name: RosPlan(managers=[f"/{name}/manager"], topics=[f"/{name}/result"]) for name in ("blue", "green")}
    return HandOver(HandOverPlan(timeout=7.0), ros, 5.0, lambda line: told.append(f"said: {line}"))


def done(told):
    """What was done, without what was only looked at or said."""
    return [line for line in told if not line.startswith("said") and "status" not in line]


def test_the_agent_of_the_new_side_makes_the_change(hand_over, sides, told):
    blue, green = sides
    hand_over.standby(green)
    hand_over.to(green, blue)
    assert green.words == [
        *("python3", "-m", "edge_ai.nodes.side_agent", "hand-over", "--timeout", "7", "--from", "/blue/manager"),
        *("--leave", "standby", "--manager", "/green/manager", "--topic", "/green/result", "--wheels", "/cmd_vel"),
    ]
    hand_over.stop(blue)
    assert done(told) == ["green standby", "green hand-over", "blue stop"]
    assert "said: the robot stood for 0.4 s" in told
    assert "--topic" not in blue.words  # what stops need not be alive


def test_a_side_that_does_not_stop_is_ended_before_anything_starts(hand_over, sides, told):
    blue, green = sides
    green.fails, blue.fails = {"hand-over": "blue: no answer"}, {"standby": "control: no answer"}
    hand_over.to(green, blue)
    assert done(told) == ["green hand-over", "blue standby", "blue ended", "green start"]
    assert any("control: no answer" in line for line in told)


def test_on_the_way_back_a_side_is_stopped_since_what_is_broken_reaches_no_standby(hand_over, sides, told):
    blue, green = sides
    hand_over.to(blue, green, back=True)
    assert blue.words[blue.words.index("--leave") + 1] == "stop"
    blue.fails = {"hand-over": "green: no answer"}
    green.fails = {"stop": "control: no answer"}
    hand_over.to(blue, green, back=True)
    assert done(told) == ["blue hand-over", "blue hand-over", "green stop", "green ended", "blue start"]


@pytest.mark.parametrize("lease", [{}, {"identity": "8:2", "path": "/other"}, {"identity": "", "path": "/other"}])
def test_a_side_that_the_kernel_does_not_keep_from_driving_is_ended_first(hand_over, sides, told, lease):
    blue, green = sides
    blue.lease = lease
    hand_over.to(green, blue)
    assert done(told) == ["blue ended", "green start"]


def test_nothing_starts_while_the_other_side_cannot_be_ended(hand_over, sides, told):
    blue, green = sides
    green.fails, blue.fails, blue.ends = {"hand-over": "blue: no answer"}, {"standby": "no answer"}, False
    with pytest.raises(DeploymentError, match="end it by hand"):
        hand_over.to(green, blue)
    assert "green start" not in told


def test_what_does_not_run_does_not_drive(hand_over, sides, told):
    blue, green = sides
    blue.alive = False
    hand_over.to(green, blue)
    assert done(told) == ["green start"]


def test_a_side_that_does_not_start_says_why_and_the_other_one_stands_by(hand_over, sides, told):
    blue, green = sides
    green.fails = {"hand-over": "/green/result: silent"}
    with pytest.raises(DeploymentError, match="hand-over of the nodes of side green: got /green/result: silent"):
        hand_over.to(green, blue)
    assert done(told) == ["green hand-over", "blue standby"]


@pytest.mark.parametrize("lease", [{"identity": "8:2", "path": "/other"}, {"identity": "", "path": "/other"}, {}])
def test_sides_that_do_not_exclude_each_other_are_refused(hand_over, sides, lease):
    blue, green = sides
    assert hand_over.check_exclusive(green, blue) == "one lock decides who drives"
    green.lease = lease
    with pytest.raises(DeploymentError, match="XDG_RUNTIME_DIR"):
        hand_over.check_exclusive(green, blue)


def test_a_broken_side_that_tells_no_lock_does_not_keep_a_new_release_out(hand_over, sides):
    blue, green = sides
    blue.says = ("", "ModuleNotFoundError: No module named 'rclpy'\n")
    assert hand_over.check_exclusive(green, blue) == "blue tells no lock"


def test_robots_without_wheels_need_no_lock(sides, told):
    ros = {name: RosPlan(managers=[f"/{name}/manager"]) for name in ("blue", "green")}
    HandOver(HandOverPlan(wheels=""), ros, 5.0, told.append).check_exclusive(*sides)
    assert told == []


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (("", "ModuleNotFoundError: No module named 'rclpy'\n"), "got ModuleNotFoundError"),
        (("Killed\n", ""), "got Killed"),
        (("[1]\n", ""), r"got \[1\]"),
        (("", ""), "got nothing"),
    ],
)
def test_an_agent_that_fails_is_told_in_its_words(hand_over, sides, says, words):
    sides[1].says = says
    with pytest.raises(DeploymentError, match=words):
        hand_over.check(sides[1])
