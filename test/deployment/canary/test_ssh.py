"""Robots over SSH, with the real programs at both ends."""

import time

import pytest
import sshd

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.canary.target import make_target

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
