"""Where containers can be built and run, what is said where they cannot, and what counts as a failure."""

import os
import stat
import subprocess
import sys

import pytest


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine whose PATH has nothing but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)

    def program(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return program


def test_a_docker_that_answers_is_used(bare, tmp_path):
    from container_engine.engine import Engine, unfit

    bare("docker", "echo 27.0")
    assert unfit() == ""
    with Engine(tmp_path) as engine:
        assert not engine.ours
        assert engine.docker("anything").strip() == "27.0"


def test_a_client_without_a_daemon_is_none(bare, monkeypatch):
    from container_engine.engine import unfit

    bare("docker", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root can start one" in unfit()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "no apt" in unfit()
    bare("apt-get", "exit 0")
    assert unfit() == ""


def test_without_an_engine_it_is_skipped_with_the_reason(root, tmp_path, plain_environment):
    environment = {**plain_environment, "PATH": str(tmp_path)}
    command = [sys.executable, str(root / "tools" / "containers.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SKIPPED: no Docker answers here")


def test_a_command_that_fails_says_what_it_said(bare, tmp_path):
    from container_engine.engine import Engine
    from installer.console import SetupError

    bare("docker", 'case $1 in version) echo 27 ;; *) echo "no such image"; exit 3 ;; esac')
    with Engine(tmp_path) as engine, pytest.raises(SetupError, match=r"status 3:\n +no such image"):
        engine.docker("run", "x")


def test_a_daemon_that_dies_is_an_error_with_its_last_words(bare, tmp_path, monkeypatch):
    from container_engine import engine as module
    from container_engine.engine import Engine
    from container_engine.programs import Programs
    from installer.console import SetupError

    bare("dockerd", 'echo "failed to start: no cgroups" >&2; exit 1')
    monkeypatch.setattr(module, "Programs", lambda: Programs(tmp_path))
    engine = Engine(tmp_path / "engine")
    with pytest.raises(SetupError, match="no cgroups"), engine:
        pass
    assert engine._daemon.poll() is not None


@pytest.mark.parametrize(("states", "passed"), [(["healthy"], True), (["starting", "unhealthy"], False)])
def test_health_is_waited_for(states, passed):
    from container_engine.robot import ContainerRobot
    from installer.console import SetupError

    robot = ContainerRobot.__new__(ContainerRobot)
    said = iter(states)
    robot.health = lambda _: next(said, states[-1])
    robot.logs = lambda _: "what it logged"
    if passed:
        assert robot.wait_healthy("robot") < 1.0
    else:
        with pytest.raises(SetupError, match="robot are unhealthy:\nwhat it logged"):
            robot.wait_healthy("robot", timeout=0.2)


def test_a_check_that_cannot_be_made_is_a_failure():
    from container_engine.checks import _tried
    from installer.console import SetupError

    def _sees(_robot):
        raise SetupError("no such container")

    (finding,) = _tried(_sees, None)
    assert (finding.what, finding.passed, finding.seen) == ("sees", False, "no such container")


def test_an_image_of_other_sources_is_none(bare, tmp_path, monkeypatch):
    import containers
    from container_engine.engine import Engine

    folder = tmp_path / "tree"
    (folder / "edge_ai").mkdir(parents=True)
    monkeypatch.setattr(containers, "ROOT", folder)
    monkeypatch.setattr(containers, "SOURCES", ("edge_ai",))
    (folder / "edge_ai" / "a.py").write_text("1")
    bare("docker", f"echo {containers.sources()}")
    with Engine(tmp_path) as engine:
        assert containers.built(engine)
        (folder / "edge_ai" / "a.py").write_text("2")
        assert not containers.built(engine)
