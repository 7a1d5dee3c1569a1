"""The health check of an image, against the real endpoint."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_ai.core.clock import SystemClock
from edge_ai.monitoring.endpoint import Endpoint
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.readings import Sample

CHECK = Path(__file__).resolve().parents[2] / "docker" / "health.py"


def check(port, *words):
    command = [sys.executable, "-S", str(CHECK), *words]
    environment = {**os.environ, "EDGE_AI_METRICS_PORT": str(port)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def robot():
    health = Health(SystemClock())
    endpoint = Endpoint("127.0.0.1", 0, metrics=None, health=health)
    endpoint.start()
    yield health, endpoint.port
    endpoint.stop()


def test_it_fails_with_the_reason_until_results_come(robot):
    health, port = robot
    done = check(port)
    assert done.returncode == 1
    assert "nothing has been measured yet" in done.stderr
    assert check(port, "/livez").returncode == 0
    health.update(Sample(0, SystemClock().steady_ns(), {"fps": 10.0}, {}))
    done = check(port)
    assert done.returncode == 0
    assert done.stdout.strip() == "ready"


def test_it_fails_where_nobody_answers():
    done = check(1)
    assert done.returncode == 1
    assert "does not answer at port 1" in done.stderr
