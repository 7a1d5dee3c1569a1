"""A shell in which everything runs, from any folder and in any POSIX shell."""

import shutil
import subprocess

import pytest

SHELLS = [name for name in ("bash", "dash", "sh", "zsh") if shutil.which(name)]
IMPORTS = 'python -c "import rclpy, edge_ai.msg; print(rclpy.__file__, edge_ai.msg.__file__)"'


def source(shell, tree, script, environment, cwd):
    command = [shell, "-c", f". {tree}/env.sh && {script}"]
    return subprocess.run(command, env=dict(environment), cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def ready(root):
    if not (root / "install" / "setup.sh").exists() or not (root / ".venv" / "bin" / "python").exists():
        pytest.skip("this tree is not set up (make setup)")
    return root


@pytest.mark.parametrize("shell", SHELLS)
def test_ros_and_the_nodes_run(shell, ready, plain_environment, tmp_path):
    done = source(shell, ready, f"{IMPORTS} && command -v camera_node edge-ai", plain_environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(ready / ".venv") in done.stdout
    assert str(ready / "install") in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_it_says_what_to_do_where_nothing_is_set_up(shell, tree, plain_environment, tmp_path):
    done = source(shell, tree, "echo went on", plain_environment, tmp_path)
    assert "run: make setup" in done.stderr
    assert "went on" not in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_another_ros_that_is_sourced_does_not_mix_in(shell, ready, plain_environment, tmp_path):
    other = tmp_path / "humble"
    (other / "rclpy").mkdir(parents=True)
    (other / "rclpy" / "__init__.py").write_text("raise ImportError('of another ROS')\n")
    environment = {**plain_environment, "AMENT_PREFIX_PATH": "/opt/ros/humble", "PYTHONPATH": str(other)}
    done = source(shell, ready, f"{IMPORTS} && echo $AMENT_PREFIX_PATH", environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{ready}/install:{ready}/.venv"


def test_images_get_the_large_segment_and_discovery_stays_here_unless_told(ready, plain_environment, tmp_path):
    script = 'echo "$FASTRTPS_DEFAULT_PROFILES_FILE|$FASTDDS_DEFAULT_PROFILES_FILE|$ROS_AUTOMATIC_DISCOVERY_RANGE"'
    profile = ready / "config" / "fastdds.xml"
    done = source("sh", ready, script, plain_environment, tmp_path)
    assert done.stdout.strip() == f"{profile}|{profile}|LOCALHOST"
    chosen = {**plain_environment, "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    assert source("sh", ready, script, chosen, tmp_path).stdout.strip().endswith("|SUBNET")


def test_sourcing_twice_changes_nothing(ready, plain_environment, tmp_path):
    show = 'echo "$PATH|$AMENT_PREFIX_PATH|$LD_LIBRARY_PATH|$PYTHONPATH"'
    once = source("bash", ready, show, plain_environment, tmp_path)
    twice = source("bash", ready, f". {ready}/env.sh && {show}", plain_environment, tmp_path)
    assert once.stdout == twice.stdout
