"""Each side works for a moment, in this process; what it measures is not judged."""

import gc
from contextlib import closing

import pytest

pytest.importorskip("onnxruntime")

from benchmarks.peers import QueuePipeline, to_tensor
from benchmarks.sides import replay
from benchmarks.sides.bare import BareLoop
from benchmarks.sides.composed import ComposedRobot
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor
from edge_ai.runtime.resources import shipped_card


@pytest.mark.parametrize("spinning", [False, True])
def test_the_bare_loop_times_each_frame(spinning):
    loop = BareLoop({"video": replay.SYNTHETIC, "spinning": spinning})
    durations = loop.measure({"warm": 0.0, "seconds": 0.2})["durations"]
    assert all(duration > 0 for duration in durations)
    assert sum(durations) >= 0.2


@pytest.mark.parametrize("realtime", [False, True])
def test_the_composed_robot_logs_results_and_the_age_of_commands_and_starts_again(realtime):
    with closing(ComposedRobot({"video": replay.SYNTHETIC, "rate": 60.0, "realtime": realtime})) as robot:
        for _ in range(2):
            heard = robot.measure({"warm": 0.2, "seconds": 0.4})
            assert heard["instants"] == sorted(heard["instants"])
            assert len(heard["instants"]) == len(heard["timings"]) > 0
            assert list(heard["timings"][0]) == ["wait", "preprocess", "infer", "postprocess"]
            assert all(age > 0 for age in heard["ages"])


def test_the_composed_robot_takes_real_time_settings_and_gives_them_back():
    setup = {"video": replay.SYNTHETIC, "rate": 60.0, "realtime": True, "process": {"gc": "freeze"}}
    with closing(ComposedRobot(setup)) as robot:
        assert gc.get_freeze_count() > 1000
        heard = robot.measure({"warm": 0.0, "seconds": 0.2})
    assert heard["outcomes"] == [("gc", True, "freeze")]
    assert heard["seconds"] == 0.2
    assert heard["resident_mb"] > 50
    assert gc.get_freeze_count() == 0


def test_the_queue_of_ten_uses_every_frame_in_turn():
    peer = QueuePipeline({"video": replay.SYNTHETIC, "rate": 30.0})
    heard = peer.measure({"seconds": 0.4})
    assert len(heard["instants"]) == len(heard["ages"]) > 0
    assert min(heard["ages"]) > 0


def test_the_peer_prepares_the_same_picture_by_other_means():
    card, image = ModelCard.load(shipped_card()), replay.pictures(replay.SYNTHETIC)[0]
    tensor, placement = to_tensor(image, card)
    ours = tensor.copy()
    assert Preprocessor(card.input).prepare(image, "bgr8", ours) == placement
    assert abs(ours - tensor).max() < 1e-4
