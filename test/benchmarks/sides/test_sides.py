"""Each side works for a moment, in this process; what it measures is not judged."""

import gc
import time
from contextlib import closing

import pytest

pytest.importorskip("onnxruntime")

from benchmarks.peers import QueuePipeline, to_tensor
from benchmarks.sides import replay
from benchmarks.sides.bare import BareLoop
from benchmarks.sides.composed import ComposedRobot
from benchmarks.sides.limit import Limit
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor
from edge_ai.runtime.resources import shipped_card


@pytest.mark.parametrize("spinning", ["none", "short", "long"])
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
    heard = peer.measure({"warm": 0.3, "seconds": 1.0})
    assert len(heard["instants"]) == len(heard["ages"]) > 0
    assert min(heard["ages"]) > 0


def test_the_peer_prepares_the_same_picture_by_other_means():
    card, image = ModelCard.load(shipped_card()), replay.pictures(replay.SYNTHETIC)[0]
    tensor, placement = to_tensor(image, card)
    ours = tensor.copy()
    assert Preprocessor(card.input).prepare(image, "bgr8", ours) == placement
    assert abs(ours - tensor).max() < 1e-4


def test_the_queue_of_ten_with_polling_begins_anew_with_every_task():
    peer = QueuePipeline({"video": replay.SYNTHETIC, "rate": 100.0, "poll": 0.001})
    for _ in range(2):
        heard = peer.measure({"warm": 0.3, "seconds": 0.5})
        assert len(heard["instants"]) == len(heard["ages"]) > 0
        assert heard["cpu_s"] > 0
        assert max(heard["ages"]) < 5  # nothing is left in the queues from the turn before


@pytest.mark.parametrize("setting", [(1, 1, "none"), (2, 1, "none"), (1, 2, "short"), (1, 2, "long")])
def test_the_limit_runs_at_any_setting_and_takes_nothing_when_idle(setting):
    loop = Limit({"video": replay.SYNTHETIC})
    workers, threads, spinning = setting
    task = {"warm": 0.1, "seconds": 0.3, "workers": workers, "threads": threads, "spinning": spinning}
    answer = loop.measure(task)
    assert answer["instants"] == sorted(answer["instants"])
    assert sum(answer["durations"]) >= 0.3 * workers
    assert answer["cpu_s"] > 0
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1  # threads that spun would take 0.3 s
