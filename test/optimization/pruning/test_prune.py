"""Files in, files out: what is smaller, what is said of it, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.inspection.flops import count
from edge_ai.optimization.pruning import prune
from edge_ai.optimization.quantization.half import to_half

ROOT = Path(__file__).parents[3]
NANODET = ROOT / "models" / "nanodet_g_416.onnx"


@pytest.fixture
def source(new_net, tmp_path):
    """A small network whose hidden channels say much the same: few suffice."""
    net = new_net(seed=5)
    start = net.op("Relu", net.conv("x", 8))
    hidden = net.conv(start, 32, side=1)
    out = net.conv(net.op("Relu", net.conv(hidden, 8)), 4)
    onnx.save(net.model(out), tmp_path / "small.onnx")
    return tmp_path / "small.onnx"


def feeds(count=12):
    def give():
        for seed in range(count):
            yield {"x": np.random.default_rng(seed).normal(size=(1, 3, 8, 8)).astype(np.float32)}

    return give


def run(path, feed):
    return onnxruntime.InferenceSession(str(path)).run(None, feed)[0]


def weights(path):
    model = onnx.load(str(path))
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if len(t.dims) > 1}


def error(source, target):
    wanted, got = ([run(path, feed) for feed in feeds(40)()][20:] for path in (source, target))
    return np.square(np.subtract(got, wanted)).mean() / np.var(wanted)


def test_the_shipped_detector_is_smaller_and_keeps_its_outputs(tmp_path):
    made = prune(NANODET, tmp_path / "cut.onnx", "structured", 0.3)
    assert count(made.path).flops < 0.6 * count(NANODET).flops
    assert made.path.stat().st_size < 0.55 * NANODET.stat().st_size
    feed = {"images": np.zeros((1, 3, 416, 416), np.float32)}
    scores, boxes = onnxruntime.InferenceSession(str(made.path)).run(["scores", "dist"], feed)
    assert (scores.shape, boxes.shape) == ((1, 3549, 80), (1, 3549, 44))
    changed = {layer.name: layer for layer in made.layers}
    assert changed["Conv__145"].before == "3 in, 32 out channels"
    assert changed["Conv__145"].after == "3 in, 24 out channels"
    assert changed["Conv__176"].after.endswith("124 out channels")
    assert "880 of 2944 channels" in made.notes[0]
    assert "Without pictures" in made.notes[1]


def test_with_inputs_the_others_make_up_for_what_is_gone(source, tmp_path):
    bare = prune(source, tmp_path / "bare.onnx", "structured", 0.5).path
    fitted = prune(source, tmp_path / "fitted.onnx", "structured", 0.5, feeds=feeds())
    assert fitted.path.stat().st_size < 0.6 * source.stat().st_size
    assert error(source, fitted.path) < 0.5 * error(source, bare)
    assert "12 pictures" in fitted.notes[1]


def test_what_has_a_twin_costs_next_to_nothing(source, tmp_path):
    """Half of the channels repeat the other half: with inputs their work is taken over."""
    model = onnx.load(str(source))
    first = next(t for t in model.graph.initializer if t.dims[:] == [32, 8, 1, 1])
    bias = next(t for t in model.graph.initializer if t.dims[:] == [32])
    for tensor in (first, bias):
        value = numpy_helper.to_array(tensor).copy()
        value[16:] = value[:16]
        tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    onnx.save(model, source)
    keep = [node.name for node in model.graph.node if node.op_type == "Conv"]
    others = [name for name in keep if name not in ("Conv_2", "Conv_3")]
    keep = [others[0], others[-1]]
    bare = prune(source, tmp_path / "bare.onnx", "structured", 0.5, keep=keep)
    made = prune(source, tmp_path / "half.onnx", "structured", 0.5, keep=keep, feeds=feeds())
    assert [layer.after for layer in made.layers] == ["8 in, 16 out channels", "16 in, 8 out channels"]
    assert error(source, made.path) < 0.2 * error(source, bare.path)


def test_layers_to_keep_are_left_alone(source, tmp_path):
    made = prune(source, tmp_path / "cut.onnx", "structured", 0.5, keep=["Conv_2"])
    assert [(layer.name, layer.after) for layer in made.layers] == [
        ("Conv_3", "32 in, 4 out channels"),
        ("Conv_5", "4 in, 4 out channels"),
    ]
    before, after = weights(source), weights(made.path)
    assert sum(name in before and np.array_equal(after[name], before[name]) for name in after) == 2


def test_multiples_are_left_where_they_can_be(tmp_path):
    made = prune(NANODET, tmp_path / "cut.onnx", "structured", 0.3, multiple=16)
    widths = [int(layer.after.split(" out")[0].split()[-1]) for layer in made.layers]
    assert all(width % 16 == 0 for width in widths if width >= 64 and width != 124)


@pytest.mark.parametrize("method", ["unstructured", "magnitude"])
def test_the_smallest_weights_become_zero(source, tmp_path, method):
    made = prune(source, tmp_path / "zeros.onnx", method, 0.4)
    before, after = weights(source), weights(made.path)
    zeros = np.concatenate([value.ravel() == 0 for value in after.values()])
    assert zeros.mean() == pytest.approx(0.4, abs=0.005)
    each = [np.mean(value == 0) for value in after.values()]
    assert (max(each) - min(each) < 0.01) == (method == "unstructured")
    for name, value in after.items():
        gone = value == 0
        assert np.array_equal(value[~gone], before[name][~gone])
        if method == "unstructured":
            assert np.abs(before[name][gone]).max() <= np.abs(before[name][~gone]).min()
    assert run(made.path, next(feeds()())).shape == (1, 4, 8, 8)


def test_two_of_four_along_input_channels(source, tmp_path):
    made = prune(source, tmp_path / "fours.onnx", "2:4", 0.5)
    before, after = weights(source), weights(made.path)
    wide = [name for name, value in after.items() if value.shape[1] % 4 == 0]
    assert len(wide) == 3
    for name in wide:
        fours = np.moveaxis(after[name], 1, -1).reshape(-1, 4)
        originals = np.abs(np.moveaxis(before[name], 1, -1).reshape(-1, 4))
        assert ((fours == 0).sum(axis=1) == 2).all()
        assert np.allclose(np.abs(fours).sum(axis=1), np.sort(originals, axis=1)[:, 2:].sum(axis=1))
    assert "left alone are Conv_0" in made.notes[-1]
    assert any("SPARSE_WEIGHTS" in note for note in made.notes)
    assert run(made.path, next(feeds()())).shape == (1, 4, 8, 8)


def test_zeros_make_the_compressed_file_smaller_as_said(source, tmp_path):
    made = prune(source, tmp_path / "zeros.onnx", "unstructured", 0.5)
    assert made.path.stat().st_size == pytest.approx(source.stat().st_size, rel=0.02)
    packed = len(gzip.compress(made.path.read_bytes(), 6))
    assert packed < 0.7 * len(gzip.compress(source.read_bytes(), 6))
    assert "nothing gets faster" in made.notes[0]
    said = int(made.notes[0].split("compressed (")[1].split()[0])
    assert said == pytest.approx(packed, abs=40)  # gzip's own header


def test_layers_without_a_bias_get_one_where_it_helps(source, tmp_path):
    model = onnx.load(str(source))
    for node in model.graph.node:
        if node.op_type == "Conv":
            del node.input[2]
    onnx.save(model, source)
    bare = prune(source, tmp_path / "bare.onnx", "structured", 0.5).path
    fitted = prune(source, tmp_path / "fitted.onnx", "structured", 0.5, feeds=feeds()).path
    last = [node for node in onnx.load(str(fitted)).graph.node if node.op_type == "Conv"][-1]
    assert len(last.input) == 3
    assert error(source, fitted) < 0.5 * error(source, bare)


def test_what_a_model_says_of_itself_is_kept(source, tmp_path):
    model = onnx.load(str(source))
    model.metadata_props.add(key="author", value="somebody")
    onnx.save(model, source)
    made = prune(source, tmp_path / "cut.onnx", "structured", 0.5)
    assert [(p.key, p.value) for p in onnx.load(str(made.path)).metadata_props] == [("author", "somebody")]


@pytest.mark.parametrize("method", ["structured", "2:4"])
def test_an_unknown_layer_to_keep_is_refused(source, tmp_path, method):
    with pytest.raises(EdgeAIError, match=r"Conv_99.*Conv_0"):
        prune(source, tmp_path / "cut.onnx", method, 0.5, keep=["Conv_99"])
    assert not (tmp_path / "cut.onnx").exists()


@pytest.mark.parametrize(("method", "amount"), [("structured", 0.0), ("magnitude", 1.0), ("4:8", 0.5)])
def test_wrong_amounts_and_methods_are_refused(source, tmp_path, method, amount):
    with pytest.raises(EdgeAIError, match="wanted"):
        prune(source, tmp_path / "cut.onnx", method, amount)


def test_a_quantised_model_is_refused(source, tmp_path):
    model = onnx.load(str(source))
    scale, zero = (numpy_helper.from_array(np.array(v), n) for v, n in ((np.float32(1), "s"), (np.int8(0), "z")))
    model.graph.initializer.extend([scale, zero])
    model.graph.node.insert(0, helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q"))
    onnx.save(model, source)
    with pytest.raises(ModelError, match="prune the float32 model, then quantise"):
        prune(source, tmp_path / "cut.onnx", "structured", 0.5)


def test_a_model_of_16_bits_is_refused(source, tmp_path):
    half = to_half(source, tmp_path / "half.onnx").path
    with pytest.raises(ModelError, match="weights of 16 bits"):
        prune(half, tmp_path / "cut.onnx", "structured", 0.5)


def test_no_pictures_at_all_are_refused(source, tmp_path):
    with pytest.raises(EdgeAIError, match="no pictures"):
        prune(source, tmp_path / "cut.onnx", "structured", 0.5, feeds=feeds(0))


def test_a_model_without_channels_to_remove_is_refused(new_net, tmp_path):
    net = new_net()
    onnx.save(net.model(net.conv("x", 16)), tmp_path / "one.onnx")
    with pytest.raises(ModelError, match="no channel that can be removed"):
        prune(tmp_path / "one.onnx", tmp_path / "cut.onnx", "structured", 0.5)


def test_an_interrupt_leaves_nothing(source, tmp_path):
    def stop(what, done, total):
        if what == "fitting layers" and done == 1:
            raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        prune(source, tmp_path / "cut.onnx", "structured", 0.5, feeds=feeds(), progress=stop)
    assert sorted(tmp_path.iterdir()) == before
