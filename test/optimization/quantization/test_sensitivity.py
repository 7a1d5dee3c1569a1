"""The sensitivity of layers."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge_ai.optimization.quantization.quantize import quantize_static
from edge_ai.optimization.quantization.sensitivity import leave, sensitivities


def test_every_layer_is_measured_worst_first(network):
    source, feeds = network
    steps = []
    found = sensitivities(source, feeds, progress=lambda *step: steps.append(step))
    layers = [node for node in onnx.load(source).graph.node if node.name in {one.layer for one in found}]
    assert len(found) == len(layers) == (3 if layers[0].op_type == "Conv" else 5)
    assert [one.error for one in found] == sorted((one.error for one in found), reverse=True)
    assert all(0 < one.error < 0.1 for one in found)
    assert [step for step in steps if step[0] == "measuring layers"][-1] == ("measuring layers", len(found), len(found))


def test_a_layer_that_cannot_bear_it_is_first_and_leaving_it_helps(convolutional, tmp_path, change):
    """One outlier in each of its channels takes the scale from all other weights."""
    source, feeds = convolutional
    model = onnx.load(source)
    weights = np.random.default_rng(0).normal(size=(16, 16, 1, 1), scale=0.02).astype(np.float32)
    weights[:, 0] = 5
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(weights, "w2"))
    onnx.save(model, source)
    found = sensitivities(source, feeds)
    assert found[0].layer == "pointwise"
    assert found[0].weights == 256
    feed = next(feeds())
    all_of_it = quantize_static(source, tmp_path / "all.onnx", feeds).path
    without = quantize_static(source, tmp_path / "without.onnx", feeds, keep_float=leave(found, 1)).path
    assert change(source, without, feed) < 0.8 * change(source, all_of_it, feed)


def test_the_worst_are_left(convolutional):
    found = sensitivities(*convolutional)
    assert leave(found, 0) == frozenset()
    assert leave(tuple(reversed(found)), 2) == {found[0].layer, found[1].layer}
    assert len(leave(found, 99)) == 3


@pytest.mark.parametrize(("count", "compared"), [(1, 1), (8, 4)])
def test_few_pictures_are_compared(convolutional, monkeypatch, count, compared):
    import onnxruntime

    runs = []
    original = onnxruntime.InferenceSession.run
    monkeypatch.setattr(
        onnxruntime.InferenceSession, "run", lambda *args: runs.append(len(args[0].get_outputs())) or original(*args)
    )
    source, feeds = convolutional
    sensitivities(source, lambda: (feed for feed, _ in zip(feeds(), range(count), strict=False)))
    assert runs.count(1) == 4 * compared, "the original and three layers"
    assert len(runs) == 4 * compared + count, "calibrated once"


def test_it_can_be_interrupted_at_any_step(convolutional, interrupted, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    source, feeds = convolutional
    assert interrupted(lambda progress: sensitivities(source, feeds, progress=progress)) >= 15
    assert [path.name for path in tmp_path.iterdir()] == ["float.onnx"]
