"""INT8 models: what they are made of, what they answer, and what is refused."""

import errno
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge_ai.core.errors import ModelError, ParameterError
from edge_ai.optimization.onnx_file import load_model
from edge_ai.optimization.quantization.quantize import quantize_dynamic, quantize_static


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_answers_stay_close(network, tmp_path, change, method):
    source, feeds = network
    seen = []
    made = quantize_static(
        source, tmp_path / "int8.onnx", feeds, method=method, progress=lambda *step: seen.append(step)
    )
    assert change(source, made.path, next(feeds())) < 0.06
    assert {layer.after for layer in made.layers} == {"int8"}
    assert f"by {method} over 8 pictures" in made.notes[0]
    assert [step for step in seen if step[0] == "calibrating"][-1] == ("calibrating", 8, 8)
    load_model(made.path)  # it is valid, and its operators stand in order


def test_tensorrt_can_take_it(network, tmp_path):
    """Zero points of 0, int8 throughout, biases in float: it refuses anything else."""
    source, feeds = network
    model = onnx.load(quantize_static(source, tmp_path / "int8.onnx", feeds).path)
    values = constants(model)
    quantising = [node for node in model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert quantising
    for node in quantising:
        assert values[node.input[2]].dtype == np.int8
        assert not values[node.input[2]].any()
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            assert values[node.input[2]].dtype == np.float32
    weights = [array for array in values.values() if array.dtype == np.int8 and array.ndim > 1]
    assert max(abs(array.astype(int)).max() for array in weights) <= 64, "7 bits: without VNNI sums of pairs saturate"


def test_every_layer_runs_in_int8(convolutional, tmp_path, executed):
    """Also the one whose output two take and those whose input three take."""
    source, feeds = convolutional
    found = executed(quantize_static(source, tmp_path / "int8.onnx", feeds).path)
    assert found["QLinearConv"] == 3
    assert not found["Conv"]


@pytest.mark.parametrize("cut", ["Relu", "Clip"])
def test_what_a_relu_cuts_off_takes_no_room_in_the_range(convolutional, tmp_path, change, executed, cut):
    """Here the layer's output reaches to -40 and counts from 0 to 1 or so."""
    source, feeds = convolutional
    model = onnx.load(source)
    bounds = [numpy_helper.from_array(np.float32(value), name) for name, value in (("low", 0), ("high", 6))]
    model.graph.initializer.extend(bounds)
    biases = np.where(np.arange(16) % 2, -40, 0).astype(np.float32)
    model.graph.initializer[3].CopyFrom(numpy_helper.from_array(biases, "b0"))
    cutting = onnx.helper.make_node(cut, ["c0"] if cut == "Relu" else ["c0", "low", "high"], ["m0"], "cut")
    stem, _, _, grouped, pointwise, *_ = model.graph.node
    pointwise.input[0], pointwise.output[0] = "c1", "y"
    kept = [stem, cutting, grouped, pointwise]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    onnx.save(model, source)
    made = quantize_static(source, tmp_path / "int8.onnx", feeds)
    assert change(source, made.path, next(feeds())) < 0.03
    found = executed(made.path)
    assert (found["QLinearConv"], found["QLinearLeakyRelu"]) == (3, 1)


def test_the_shipped_model_shrinks_to_a_quarter_and_all_its_convolutions_run_in_int8(tmp_path, executed):
    source = Path(__file__).parents[3] / "models" / "nanodet_g_416.onnx"
    array = np.random.default_rng(0).normal(size=(1, 3, 416, 416)).astype(np.float32)
    made = quantize_static(source, tmp_path / "int8.onnx", lambda: iter([{"images": array}]))
    assert made.path.stat().st_size < 0.26 * source.stat().st_size
    assert len(made.layers) == executed(made.path)["QLinearConv"] == 34


def test_layers_are_left_in_float(convolutional, tmp_path, executed):
    source, feeds = convolutional
    made = quantize_static(source, tmp_path / "int8.onnx", feeds, keep_float=["grouped"])
    assert [layer.name for layer in made.layers] == ["stem", "pointwise"]
    found = executed(made.path)
    assert found["QLinearConv"] == 2
    assert found["Conv"] + found["FusedConv"] == 1


def test_dynamic_answers_stay_close_and_need_no_pictures(network, tmp_path, change):
    source, feeds = network
    made = quantize_dynamic(source, tmp_path / "int8.onnx")
    assert change(source, made.path, next(feeds())) < 0.06
    assert "processor only" in made.notes[0]
    load_model(made.path)


def test_an_old_opset_is_raised(tmp_path, convolutional, change):
    source, feeds = convolutional
    model = onnx.load(source)
    model.opset_import[0].version = 11
    onnx.save(model, tmp_path / "old.onnx")
    made = quantize_static(tmp_path / "old.onnx", tmp_path / "int8.onnx", feeds)
    assert change(source, made.path, next(feeds())) < 0.06


def test_what_is_quantised_or_half_already_is_refused(convolutional, tmp_path):
    source, feeds = convolutional
    made = quantize_static(source, tmp_path / "int8.onnx", feeds).path
    dynamic = quantize_dynamic(source, tmp_path / "dynamic.onnx").path
    for path in (made, dynamic):
        with pytest.raises(ModelError, match=r"quantised already .*start from the float32 model"):
            quantize_static(path, tmp_path / "again.onnx", feeds)
    model = onnx.load(source)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((16, 3, 3, 3), np.float16), "w0"))
    onnx.save(model, tmp_path / "half.onnx")
    with pytest.raises(ModelError):
        quantize_static(tmp_path / "half.onnx", tmp_path / "again.onnx", feeds)
    assert not (tmp_path / "again.onnx").exists()


def test_wrong_names_and_nothing_to_do_are_refused(convolutional, tmp_path):
    source, feeds = convolutional
    with pytest.raises(ParameterError, match=r"got nothing_here; wanted .*stem"):
        quantize_static(source, tmp_path / "int8.onnx", feeds, keep_float=["nothing_here"])
    with pytest.raises(ModelError, match="all of them to be kept"):
        quantize_static(source, tmp_path / "int8.onnx", feeds, keep_float=["stem", "grouped", "pointwise"])


def test_open_sides_and_cut_off_files_are_refused(convolutional, tmp_path):
    source, feeds = convolutional
    (tmp_path / "cut.onnx").write_bytes(source.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cut off"):
        quantize_dynamic(tmp_path / "cut.onnx", tmp_path / "int8.onnx")
    model = onnx.load(source)
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "width"
    onnx.save(model, tmp_path / "open.onnx")
    with pytest.raises(ModelError, match=r"\[N, 3, 16, width\]"):
        quantize_static(tmp_path / "open.onnx", tmp_path / "int8.onnx", feeds)


def test_few_pictures_are_said(convolutional, tmp_path):
    source, feeds = convolutional
    made = quantize_static(source, tmp_path / "int8.onnx", lambda: iter([next(feeds())]))
    assert "Only 1 pictures" in made.notes[1]


@pytest.mark.parametrize("make", [quantize_static, quantize_dynamic])
def test_an_interrupt_at_any_step_leaves_all_as_it_was(convolutional, tmp_path, interrupted, make):
    source, feeds = convolutional
    target = tmp_path / "out" / "int8.onnx"
    target.parent.mkdir()
    target.write_bytes(b"old")
    more = (feeds,) if make is quantize_static else ()

    def work(progress):
        assert target.read_bytes() == b"old"
        make(source, target, *more, progress=progress)

    assert interrupted(work) >= (13 if more else 4)
    assert os.listdir(target.parent) == ["int8.onnx"]
    load_model(target)


def test_a_full_disk_leaves_all_as_it_was(convolutional, tmp_path, monkeypatch):
    source, feeds = convolutional
    target = tmp_path / "int8.onnx"
    target.write_bytes(b"old")
    replace = os.replace

    def full(old, new):
        if str(new) == str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(old, new)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ModelError, match="disk full"):
        quantize_static(source, target, feeds)
    assert sorted(os.listdir(tmp_path)) == ["float.onnx", "int8.onnx"]
    assert target.read_bytes() == b"old"


def test_a_full_disk_for_files_on_the_way_is_said(convolutional, tmp_path, monkeypatch):
    source, feeds = convolutional

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(onnx, "save", full)  # as ONNX Runtime's calibrators do
    with pytest.raises(ModelError, match=r"disk full.*TMPDIR"):
        quantize_static(source, tmp_path / "int8.onnx", feeds)
