"""Containers of a real engine: started once, asked, ended, also when somebody else has done half of it before."""

import time

import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.containers import ContainerEngine, ContainerSpec

IMAGE = "edge_ai/test:1"
WAIT = ("/bin/sh", "-c", "trap 'exit 0' TERM; echo began as $RELEASE; while :; do sleep 0.05; done")


@pytest.fixture
def engine(engine_url):
    with ContainerEngine(engine_url) as engine:
        yield engine
        for name in ("green", "blue"):
            engine.remove(name)


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def spec(**changes):
    given = {"image": IMAGE, "command": WAIT, "network": "host", "user": "65534:65534", "environment": {"RELEASE": "1"}}
    return ContainerSpec(**{**given, **changes})


def test_a_container_is_started_once_whoever_asks_again(engine):
    engine.start("green", spec())
    before = engine.exec("green", ["cat", "/proc/1/stat"]).output.split()[21]
    engine.start("green", spec())
    assert engine.running("green")
    assert engine.runs("green", spec())
    assert engine.exec("green", ["cat", "/proc/1/stat"]).output.split()[21] == before
    assert engine.image("green") == IMAGE
    assert engine.health("green") == "none"
    assert "began as 1" in engine.logs("green")


def test_another_release_takes_its_place(engine):
    engine.start("green", spec())
    engine.start("green", spec(environment={"RELEASE": "2"}))
    assert not engine.runs("green", spec())
    assert engine.exec("green", ["sh", "-c", "echo $RELEASE"]).output == "2\n"


def test_one_that_was_stopped_starts_again_and_one_that_is_gone_is_no_error(engine):
    engine.start("green", spec())
    began = time.monotonic()
    engine.stop("green")
    engine.stop("green")
    assert time.monotonic() - began < 5
    assert not engine.running("green")
    assert engine.health("green") == "absent"
    engine.start("green", spec())
    assert engine.running("green")
    engine.remove("green")
    engine.remove("green")
    engine.stop("green")
    assert (engine.image("green"), engine.logs("green"), engine.running("green")) == ("", "", False)


def test_one_that_was_paused_goes_on(engine):
    engine.start("green", spec())
    engine._client().containers.get("green").pause()
    assert not engine.running("green")
    engine.start("green", spec())
    assert engine.running("green")


def test_it_is_hardened_whatever_its_specification_says(engine):
    engine.start("green", spec(user=""))
    status = engine.exec("green", ["cat", "/proc/self/status"]).output
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert engine.exec("green", ["touch", "/new"]).status != 0
    assert engine.exec("green", ["touch", "/tmp/new"]).status == 0
    mounts = engine.exec("green", ["cat", "/proc/mounts"]).output.splitlines()
    assert [line for line in mounts if line.split()[1] == "/tmp" and "size=262144k" in line]
    assert engine._client().containers.get("green").attrs["HostConfig"]["PidsLimit"] == 1024


def test_folders_of_the_host_can_be_given_for_reading_only(engine, tmp_path):
    (tmp_path / "model").write_text("weights")
    engine.start("green", spec(volumes={"/models": f"{tmp_path}:ro"}, user=""))
    assert engine.exec("green", ["cat", "/models/model"]).output == "weights"
    assert engine.exec("green", ["touch", "/models/other"]).status != 0


def test_commands_tell_how_they_ended_and_are_not_waited_for_for_ever(engine):
    engine.start("green", spec())
    done = engine.exec("green", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.status, done.output, done.errors) == (3, "out\n", "err\n")
    with pytest.raises(DeploymentError, match=r"no answer within 0\.3 s"):
        engine.exec("green", ["sleep", "5"], timeout=0.3)
    with pytest.raises(DeploymentError, match="no-such-thing"):
        engine.exec("green", ["no-such-thing"])
    with pytest.raises(DeploymentError, match="blue"):
        engine.exec("blue", ["id"])


def test_what_does_not_start_says_why(engine):
    with pytest.raises(DeploymentError, match="no such image there"):
        engine.start("green", spec(image="edge_ai/nothing:9"))
    engine.start("green", spec(command=("/no/such/program",)))
    until(lambda: "/no/such/program" in engine.logs("green"))


def test_no_engine_is_told_with_its_address(tmp_path):
    pytest.importorskip("docker")
    engine = ContainerEngine(f"unix://{tmp_path}/none")
    with pytest.raises(DeploymentError, match=f"no answer from unix://{tmp_path}/none"):
        engine.running("green")
