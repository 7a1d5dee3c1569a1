"""Robots over SSH, with the real programs at both ends."""

import time

import pytest
import sshd

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.evaluation import Evaluation
from edge_ai.deployment.canary.log import Log, read_entries
from edge_ai.deployment.canary.plan import Host, Plan
from edge_ai.deployment.canary.rollout import Rollout
from edge_ai.deployment.canary.state import Phase
from edge_ai.deployment.canary.target import make_target
from edge_ai.deployment.journal import Journal

pytestmark = pytest.mark.skipif(sshd.MISSING, reason="no sshd or ssh; tools/programs.py fetches Debian's sshd")
ROBOT = Host(name="one", address="robot1")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    try:
        server = sshd.Sshd(tmp_path_factory.mktemp("sshd"))
    except OSError as error:
        pytest.skip(f"sshd cannot run here: {error}")
    yield server
    server.stop()


@pytest.fixture
def target(server, tmp_path):
    """A target whose robots keep their release in a file."""

    def target(**changes):
        release = tmp_path / "release"
        commands = {"version": f"cat {release}", "apply": f"printf '%s\\n' {{release}} > {release}"}
        options = ["-F", str(server.config)]
        return make_target({"kind": "ssh", **commands, "options": options, "connect_timeout": 5, **changes})

    return target


def test_a_robot_takes_a_release_on_and_goes_back(target):
    robots = target()
    robots.apply("2.4.0", ROBOT)
    assert robots.version(ROBOT) == "2.4.0"
    robots.roll_back("2.3.0", ROBOT)
    assert robots.version(ROBOT) == "2.3.0"


def test_going_back_has_a_command_of_its_own_where_the_plan_says_so(target, tmp_path):
    robots = target(roll_back=f"echo back to {{release}} > {tmp_path}/release")
    robots.roll_back("2.3.0", ROBOT)
    assert robots.version(ROBOT) == "back to 2.3.0"


def test_a_release_is_a_word_to_the_shell_whatever_it_holds(target, tmp_path):
    target().apply(f"2; touch {tmp_path}/hacked", ROBOT)
    assert not (tmp_path / "hacked").exists()
    assert target().version(ROBOT) == f"2; touch {tmp_path}/hacked"


def test_what_a_command_says_is_told(target):
    with pytest.raises(DeploymentError, match=r"robot 'one': got status 3 of 'echo no such image.*': no such image"):
        target(apply="echo no such image >&2; exit 3").apply("2", ROBOT)


def test_a_robot_that_says_nothing_has_no_release(target):
    with pytest.raises(DeploymentError, match="got nothing from 'true'"):
        target(version="true").version(ROBOT)


def test_what_is_no_text_is_told_as_well_as_it_can_be(target):
    with pytest.raises(DeploymentError, match=r"status 1 .*: \ufffdbad"):
        target(apply="printf '\\377bad'; exit 1").apply("2", ROBOT)


def test_a_command_without_an_end_is_given_up(target):
    begun = time.monotonic()
    with pytest.raises(DeploymentError, match="no end of 'sleep 60' within 1 s"):
        target(apply="sleep 60", timeout=1.0).apply("2", ROBOT)
    assert time.monotonic() - begun < 20


def test_a_robot_that_is_switched_off(target):
    with pytest.raises(
        DeploymentError, match=r"robot 'two' cannot be reached: got .*refused.*ssh -o BatchMode=yes ghost"
    ):
        target().version(Host(name="two", address="ghost"))


def test_a_robot_whose_key_is_not_known_is_told_nothing(target, tmp_path):
    with pytest.raises(DeploymentError, match=r"cannot be reached: got .*Host key verification failed"):
        target().apply("2", Host(name="two", address="stranger"))
    assert not (tmp_path / "release").exists()


def test_a_key_that_is_not_let_in_ends_at_once_without_a_question(target, server):
    other = server.config.with_name("other")
    other.write_text(server.config.read_text().replace("/user\n", "/host\n"))
    with pytest.raises(DeploymentError, match="Permission denied"):
        target(options=["-F", str(other)]).version(ROBOT)


def test_a_robot_lost_in_the_middle_of_a_rollout_goes_back_when_it_can_be_reached_again(target, server, tmp_path):
    for robot in ("robot1", "robot2"):
        (tmp_path / robot).write_text("1")
    robots = target(version=f"cat {tmp_path}/$ROBOT", apply=f"printf %s {{release}} > {tmp_path}/$ROBOT")
    errors = {"name": "errors", "bad": "a{$group}", "total": "b{$group}", "limit": 0.01}
    plan = Plan(release="2", hosts=["robot1", "robot2"], target={}, stages=[50, 100], criteria=[errors], interval=0.1)

    class Figures:
        """A release that is bad on robots that cannot be reached any more."""

        def evaluate(self, criteria, canary, stable, window):
            bad = (tmp_path / "robot1").read_text() == "2"
            if bad:
                server.stop()
            return Evaluation({"errors": {host.name: (500.0 * bad, 1000.0) for host in canary}})

    def go_on(what):
        with Journal(tmp_path / "journal").opened() as journal:
            log = Log(journal, lambda line: None)
            return getattr(Rollout(plan, robots, Figures(), log, wait=lambda seconds: None), what)()

    assert go_on("begin") is Phase.ROLLING_BACK
    assert "cannot be reached" in read_entries(tmp_path / "journal")[-1].facts["reason"]
    server.start()
    assert go_on("resume") is Phase.ROLLED_BACK
    assert [(tmp_path / robot).read_text() for robot in ("robot1", "robot2")] == ["1", "1"]
