"""Both sides in containers of a real engine, behind a real HAProxy."""

import urllib.request

import pytest

from edge_ai.deployment.blue_green.make import make_deployment
from edge_ai.deployment.containers import ContainerEngine
from edge_ai.deployment.journal import Journal


@pytest.fixture
def engine(engine_url):
    with ContainerEngine(engine_url) as engine:
        yield engine
        for name in ("edge_ai_blue", "edge_ai_green"):
            engine.remove(name)


@pytest.fixture
def side(machine):
    """Makes a side that serves its release as a file."""

    def make(name, release, **container):
        folder = machine.folder / name / release
        (folder / "v2" / "health").mkdir(parents=True, exist_ok=True)
        (folder / "v2" / "health" / "ready").write_text(release)
        port = machine.proxy.ports[name]
        serve = ["busybox", "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", "/www"]
        return {
            "release": release,
            "container": {
                "image": "edge_ai/test:1",
                "command": serve,
                "network": "host",
                "volumes": {"/www": f"{folder}:ro"},
                **container,
            },
            "ready": f"http://127.0.0.1:{port}/v2/health/ready",
        }

    return make


def run(machine, plan, engine, verb="deploy"):
    with Journal(plan.journal_of(machine.path)).opened() as journal:
        return getattr(make_deployment(plan, machine.folder, journal, engine, machine.said.append), verb)()


def released(machine):
    with urllib.request.urlopen(f"{machine.proxy.url}/v2/health/ready", timeout=10) as answer:
        return answer.read().decode()


def test_a_release_in_a_container_takes_over_and_a_broken_one_does_not(machine, side, engine):
    checks = {"golden": None, "commands": {"image": ["cat", "/www/v2/health/ready"]}}
    blue, green = side("blue", "1"), side("green", "2")
    assert run(machine, machine.plan("blue", blue, green, checks=checks), engine)
    assert released(machine) == "1"
    assert run(machine, machine.plan("green", blue, green, checks=checks), engine)
    assert released(machine) == "2"
    assert [engine.running(f"edge_ai_{name}") for name in ("blue", "green")] == [False, True]

    ends = side("blue", "3", command=["sh", "-c", "echo no model; exit 3"])
    assert not run(machine, machine.plan("blue", ends, green, checks=checks), engine)
    assert any("its last words: no model" in line for line in machine.said)
    silent = side(
        "blue", "3b", command=["sh", "-c", "echo no camera; trap 'exit 0' TERM; while :; do sleep 0.05; done"]
    )
    assert not run(machine, machine.plan("blue", silent, green, checks=checks), engine)
    assert any("its last words: no camera" in line for line in machine.said)
    lacks = {**checks, "commands": {"GPU": ["nvidia-smi", "-L"]}}
    assert not run(machine, machine.plan("blue", side("blue", "4"), green, checks=lacks), engine)
    assert any("nvidia-smi" in line for line in machine.said if line.startswith("rolling back"))
    missing = side("blue", "5", image="edge_ai/nothing:5")
    assert not run(machine, machine.plan("blue", missing, green, checks=checks), engine)
    assert released(machine) == "2"
    assert [engine.running(f"edge_ai_{name}") for name in ("blue", "green")] == [False, True]
