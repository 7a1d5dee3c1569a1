"""The robot among threads that wait, sampled and not, for a moment."""

from contextlib import closing

import pytest

pytest.importorskip("onnxruntime")

from benchmarks.sides.replay import SYNTHETIC
from benchmarks.sides.sampled import SampledRobot


def test_it_works_with_so_many_threads_and_is_profiled(tmp_path):
    setup = {"video": SYNTHETIC, "rate": 100.0, "threads": 40, "folder": str(tmp_path)}
    with closing(SampledRobot(setup)) as robot:
        plain = robot.measure({"sampler": "", "seconds": 0.5, "warm": 0.1})
        sampled = robot.measure({"sampler": "in-process", "rate": 50.0, "seconds": 0.5, "warm": 0.1})
    assert plain["results"] > 0
    assert sampled["results"] > 0
    assert plain["threads"] >= 40
    assert not plain["message"]
    assert "cores" in sampled["message"]
    assert len(list(tmp_path.iterdir())) == 2
