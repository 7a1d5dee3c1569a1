"""The real nodes as the topic runs them, for a moment."""

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run through `make test`, or source a ROS installation")
pytest.importorskip("edge_ai.msg", reason="needs the built interfaces: run through `make test`, or colcon build first")

from benchmarks.realtime.bench import Bench, Setting
from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import Context, Report

ONE = Setting(1, 1, "none")


@pytest.fixture(name="bench")
def _bench(tmp_path):
    return Bench(Context(True, tmp_path, print), Report(), SYNTHETIC, tmp_path / "log")


@pytest.mark.parametrize("kind", ["composed", "separate", "detector"])
def test_our_nodes_answer_with_results_their_ages_and_their_processor_time(bench, kind):
    with getattr(bench, kind)(60.0, Setting(2, 1, "none")) as turn:
        for _ in range(2):
            answer = turn(1.0, 1.0)
            assert len(answer["instants"]) == len(answer["ages"]) > 0
            assert len(answer["said"]) == (len(answer["ages"]) if kind == "detector" else 0)
            assert min(answer["ages"]) > 0
            assert answer["cpu_s"] > 0


@pytest.mark.parametrize("tuned", [False, True])
def test_the_peers_node_answers_like_ours_but_says_no_ages_itself(bench, tuned):
    with bench.wrapper(30.0, tuned=tuned) as turn:
        turn(1.5, 0.1)
        answer = turn(0.5, 1.0)
    assert len(answer["instants"]) == len(answer["ages"]) > 0
    assert min(answer["ages"]) > 0
    assert answer["said"] == []


def test_sides_without_ros_answer_alike(bench):
    with bench.limit() as loop, bench.naive(30.0) as naive:
        bare, queued = loop(ONE)(0.0, 0.3), naive(0.3, 1.0)
    assert len(bare["instants"]) == len(bare["durations"]) > 0
    assert len(queued["instants"]) == len(queued["ages"]) > 0
    assert min(bare["cpu_s"], queued["cpu_s"]) > 0


def test_stacks_that_stand_at_once_keep_their_files_apart(bench):
    assert bench._folder("peer") != bench._folder("peer")
