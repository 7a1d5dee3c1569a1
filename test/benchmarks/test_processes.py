"""Talking with a side that is a real process."""

import os

import pytest

from benchmarks.processes import Side, executable
from benchmarks.topic import MeasurementError

SIDE = """
import sys
from contextlib import nullcontext
from benchmarks.sides.serve import serve


class Counter:
    def __init__(self, setup):
        if setup.get("refuse"):
            sys.exit("no such model")
        self.count = setup["start"]

    def measure(self, task):
        self.count += 1
        return {"count": self.count, "seconds": task["seconds"]}


serve(lambda setup: nullcontext(Counter(setup)))
"""


@pytest.fixture(name="side")
def _side(tmp_path):
    (tmp_path / "counting_side.py").write_text(SIDE)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    return lambda **setup: Side("counting_side", setup, tmp_path / "log", env)


def test_a_side_keeps_its_state_from_task_to_task(side):
    with side(start=5) as counter:
        assert counter.measure(seconds=0)["count"] == 6
        answer = counter.measure(seconds=0.5)
        assert answer.pop("others_cores") >= 0
        assert answer == {"count": 7, "seconds": 0.5}
    assert counter._child.returncode == 0


def test_a_side_that_ended_is_reported_with_its_log(side, tmp_path):
    with side(refuse=True) as counter, pytest.raises(MeasurementError, match=r"counting_side ended .*see .*log"):
        counter.measure(seconds=0)
    assert "no such model" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("name", ["camera", "pipeline"])
def test_nodes_with_a_camera_can_replay(name):
    assert os.access(executable(name), os.X_OK)
    assert executable(name).endswith(f"benchmarks/nodes/{name}_node")


def test_other_nodes_are_the_installed_ones():
    assert executable("control") == "control_node"
