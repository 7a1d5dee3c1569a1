"""Robots whose releases are images, on a real engine."""

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.canary.plan import Host
from edge_ai.deployment.canary.target import make_target
from edge_ai.deployment.containers import ContainerEngine

ROBOT = Host(name="one", address="canary-robot")
WAIT = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]


@pytest.fixture
def images(engine_url):
    """The image of test 1, as release 2 as well."""
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(engine_url, version="auto")
    client.images.get("edge_ai/test:1").tag("edge_ai/test", "2")
    yield
    client.close()


@pytest.fixture
def robots(engine_url, images):
    def robots(command=WAIT, **changes):
        spec = {"command": command, "network": "host", "user": "65534:65534"}
        entry = {"kind": "containers", "engine": engine_url, "image": "edge_ai/test:{release}", "container": "canary"}
        return make_target({**entry, "spec": spec, "ready": 20.0, "settle": 0.6, **changes})

    yield robots
    with ContainerEngine(engine_url) as engine:
        engine.remove("canary")


def test_a_robot_changes_its_release_and_goes_back(robots):
    target = robots()
    assert target.version(ROBOT) == ""
    target.apply("1", ROBOT)
    target.apply("2", ROBOT)
    target.apply("2", ROBOT)
    assert robots().version(ROBOT) == "2"
    target.roll_back("1", ROBOT)
    assert target.version(ROBOT) == "1"
    target.roll_back("", ROBOT)
    assert target.version(ROBOT) == ""


def test_an_image_that_is_not_there_is_told_and_the_robot_runs_on(robots):
    robots().apply("1", ROBOT)
    with pytest.raises(DeploymentError, match="edge_ai/test:3"):
        robots().apply("3", ROBOT)
    robots().roll_back("1", ROBOT)
    assert robots().version(ROBOT) == "1"


@pytest.mark.parametrize("runs", [0, 0.3])
def test_a_release_that_ends_at_once_runs_nothing(robots, runs):
    target = robots(["/bin/sh", "-c", f"echo no camera; sleep {runs}; exit 1"], settle=3.0)
    with pytest.raises(DeploymentError, match=r"ended container.*no camera"):
        target.apply("2", ROBOT)
    assert target.version(ROBOT) == ""


def test_a_release_that_is_brought_back_again_and_again_is_refused(robots):
    target = robots(["/bin/sh", "-c", "echo no camera; sleep 1; exit 1"], settle=2.0, ready=6.0)
    with pytest.raises(DeploymentError, match=r"(ended|restarting) container.*no camera"):
        target.apply("2", ROBOT)
    assert target.version(ROBOT) == ""


def test_an_image_of_another_name_is_told_whole(robots):
    robots().apply("1", ROBOT)
    assert robots(image="other/robot:{release}").version(ROBOT) == "edge_ai/test:1"


def test_each_robot_has_an_engine_of_its_own(robots, tmp_path):
    with pytest.raises(DeploymentError, match="/canary-robot"):
        robots(engine=f"unix://{tmp_path}/{{address}}").version(ROBOT)
