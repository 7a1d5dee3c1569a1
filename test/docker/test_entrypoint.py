"""What a container runs, here without a container: real nodes that come up, go down and fall together."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
LONG = 90.0  # s, on a loaded machine


@pytest.fixture
def environment(tmp_path):
    if not (ROOT / "install" / "setup.sh").is_file():
        pytest.skip("needs the built interfaces: make setup")
    from domain import free_domain
    from installer.process import clean_environment

    return clean_environment(
        {
            "EDGE_AI_TARGET": "generic_pc",
            "ROS_DOMAIN_ID": str(free_domain()),
            "ROS_LOG_DIR": str(tmp_path / "log"),
            "XDG_RUNTIME_DIR": str(tmp_path),
        }
    )


@pytest.fixture
def robot(environment, tmp_path):
    log = tmp_path / "output"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [ENTRYPOINT, "managed", "lifecycle_manager", "control"], env=environment, stdout=out, stderr=out
        )
    process = psutil.Process(child.pid)
    until(lambda: "all active: control" in log.read_text(), child)
    yield child, process.children(recursive=True), log
    for left in [*process.children(recursive=True), process] if process.is_running() else []:
        left.kill()
    child.wait()


def until(condition, child):
    end = time.monotonic() + LONG
    while not condition():
        assert child.poll() is None, f"ended with {child.returncode}"
        assert time.monotonic() < end
        time.sleep(0.05)


def test_any_command_runs_in_the_packages_environment(environment):
    command = [ENTRYPOINT, "python3", "-c", "from edge_ai.msg import InferenceResult; print(InferenceResult.__name__)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.stdout.strip() == "InferenceResult", done.stderr


def test_a_wrong_variable_ends_it_with_words(environment):
    wrong = {**environment, "EDGE_AI_TARGET": "orin_nono"}
    command = [ENTRYPOINT, "managed", "lifecycle_manager", "control"]
    done = subprocess.run(command, env=wrong, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.returncode == 1
    assert "orin_nono" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_ends_all_in_order(robot):
    child, nodes, _ = robot
    child.send_signal(signal.SIGINT)
    assert child.wait(LONG) == 0
    assert not [node for node in nodes if node.is_running()]


def test_when_a_node_dies_all_end_so_that_the_container_is_started_again(robot):
    child, nodes, log = robot
    victim = next(node for node in nodes if any("control_node" in word for word in node.cmdline()))
    os.kill(victim.pid, signal.SIGKILL)
    assert child.wait(LONG) == 1
    assert not [node for node in nodes if node.is_running()]
    assert "ended with status 137" in log.read_text()
