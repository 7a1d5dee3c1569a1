"""setup.cfg is the one place of requirements; a robot is told only of those it lacks."""

import subprocess
import sys

import pytest


def test_every_group_that_setup_uses_is_in_setup_cfg(root):
    from installer import requirements
    from installer.venv import BASE

    lines = requirements.read(root / "setup.cfg", [*BASE, "test", "dev"])
    names = [requirements.split(line)[0] for line in lines]
    assert {"numpy", "onnxruntime", "ros-jazzy-rclpy", "colcon-common-extensions", "pytest", "ruff"} <= set(names)
    assert not [line for line in lines if line.startswith("#")]


def test_an_unknown_group_is_refused(root):
    from installer import requirements
    from installer.console import SetupError

    with pytest.raises(SetupError, match="no requirement group 'nosuch'; it has core"):
        requirements.read(root / "setup.cfg", ["nosuch"])


def test_a_line_is_split_into_name_and_bounds():
    from installer.requirements import split

    assert split("opencv-python-headless>=4.5.4,<6") == ("opencv-python-headless", [(">=", "4.5.4"), ("<", "6")])
    assert split("ruff") == ("ruff", [])


@pytest.mark.parametrize(
    ("version", "met"),
    [("4.5.4", True), ("4.5.4.60", True), ("5.0.0.93", True), ("4.5.3", False), ("6", False), ("6.0.0", False)],
)
def test_versions_are_compared_by_number(version, met):
    from installer.requirements import allows

    assert allows([(">=", "4.5.4"), ("<", "6")], version) is met


def test_needs_prints_what_an_interpreter_lacks(root, tmp_path, plain_environment):
    """apt's OpenCV has no pip metadata and counts by its module; one out of range is asked for."""
    (tmp_path / "cv2.py").write_text("__version__ = '4.5.4'\n")
    (tmp_path / "numpy.py").write_text("__version__ = '1.17.4'\n")
    command = [sys.executable, "-S", root / "tools" / "bootstrap.py", "needs"]
    environment = {**plain_environment, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    asked = done.stdout.split()
    assert not [line for line in asked if line.startswith("opencv")]
    assert [line for line in asked if line.startswith("numpy>=")]
    assert [line for line in asked if line.startswith("pydantic>=")]
