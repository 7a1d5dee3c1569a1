"""The engines and the sides that run them, for an instant each."""

import numpy as np
import pytest

from benchmarks.sides.batching import Batching
from benchmarks.sides.engines import Engine, batched_model, layers_model
from benchmarks.sides.mlserver_batcher import Peer
from benchmarks.sides.paced import pace
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    layers_model(path, 16, 2)
    return str(path)


def test_a_batch_has_the_outputs_of_its_items(small):
    engine = Engine(small, 4)
    items = [number * engine.item() for number in (1, 2, 3)]
    alone = [engine.run([item])[0] for item in items]
    assert np.allclose(engine.run(items), alone, rtol=1e-5)
    assert not np.allclose(alone[0], alone[1])


def test_the_shipped_model_finds_the_same_in_a_batch(tmp_path):
    batched_model(ModelCard.load(shipped_card()).model_path, tmp_path / "n.onnx")
    engine = Engine(str(tmp_path / "n.onnx"), 2)
    items = [engine.item(), 0.5 * engine.item()]
    assert np.allclose(engine.run(items), [engine.run([item])[0] for item in items], atol=1e-5)


def test_every_item_of_a_load_is_accounted_for(small):
    with Batching({"model": small}) as side:
        task = {"kind": "load", "rate": 400, "warm": 0.05, "seconds": 0.2, "seed": 1, "deadline": 5.0}
        for policy in (["adaptive", 4], ["fixed", 4, 0.001]):
            answer = side.measure({**task, "policy": policy})
            assert 0 < len(answer["times"]) == answer["in_time"] == answer["sent"]
            assert sum(int(size) * count for size, count in answer["sizes"].items()) >= answer["sent"]


def test_the_curve_has_every_size(small):
    with Batching({"model": small}) as side:
        assert set(side.measure({"kind": "curve", "sizes": [1, 2], "seconds": 0.05})["curve"]) == {1, 2}


@pytest.mark.parametrize("policy", ["directly", ["fixed", 1, 0.0]])
def test_items_at_a_steady_rate_have_times(small, policy):
    with Batching({"model": small}) as side:
        answer = side.measure({"kind": "overhead", "rate": 200, "warm": 0.05, "seconds": 0.2, "policy": policy})
    assert len(answer["times"]) > 0
    assert answer["cpu_s"] > 0


def test_the_peer_calls_the_same_engine(small):
    answer = Peer({"model": small}).measure({"rate": 200, "warm": 0.05, "seconds": 0.2, "policy": "directly"})
    assert len(answer["times"]) == 40


def test_the_pace_is_even():
    assert pace(10, 0.3) == pytest.approx([0.0, 0.1, 0.2])
