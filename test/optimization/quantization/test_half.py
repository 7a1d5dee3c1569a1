"""FP16 models."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from edge_ai.core.errors import ModelError, ParameterError
from edge_ai.optimization.onnx_file import load_model
from edge_ai.optimization.quantization.half import to_half

# ONNX Runtime's last optimisation breaks FP16 on aarch64.
LEVEL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED


def answers(path, feed):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVEL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, feed)[0]


def close(source, made, feeds, most):
    feed = next(feeds())
    right = answers(source, feed)
    found = answers(made, feed)
    assert found.dtype == np.float32
    return np.linalg.norm(found - right) < most * np.linalg.norm(right)


def test_it_answers_the_same_in_half_the_size(network, tmp_path):
    source, feeds = network
    made = to_half(source, tmp_path / "half.onnx")
    model = load_model(made.path)
    ends = [value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)]
    assert ends == [TensorProto.FLOAT] * 2
    assert close(source, made.path, feeds, 2e-3)
    floats = [t for t in model.graph.initializer if t.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)]
    assert {tensor.data_type for tensor in floats} == {TensorProto.FLOAT16}
    assert {layer.after for layer in made.layers} == {"float16"}


@pytest.mark.parametrize("share", [1, 2])
def test_layers_are_left_in_float(network, tmp_path, share):
    source, feeds = network
    kept = [node.name for node in onnx.load(source).graph.node][::share]
    made = to_half(source, tmp_path / "half.onnx", keep_float=kept)
    assert close(source, made.path, feeds, 2e-3)
    weights = {tensor.name: tensor.data_type for tensor in onnx.load(made.path).graph.initializer}
    for node in onnx.load(made.path).graph.node:
        kinds = {weights[name] for name in node.input if weights.get(name) in (TensorProto.FLOAT, TensorProto.FLOAT16)}
        assert kinds <= {TensorProto.FLOAT if node.name in kept else TensorProto.FLOAT16}
    assert not {layer.name for layer in made.layers} & set(kept)


def test_a_layer_that_the_conversion_leaves_in_float_can_be_kept(tmp_path, convolutional):
    source, feeds = convolutional
    model = onnx.load(source)
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    model.graph.initializer.append(scales)
    model.graph.node[-1].output[0] = "small"
    model.graph.node.append(onnx.helper.make_node("Resize", ["small", "", "scales"], ["y"], "resize"))
    for index in (2, 3):
        model.graph.output[0].type.tensor_type.shape.dim[index].dim_value = 32
    onnx.save(model, source)
    for kept in ((), ("resize",), ("resize", "residual")):
        assert close(source, to_half(source, tmp_path / "half.onnx", keep_float=kept).path, feeds, 2e-3)


def test_operators_stand_in_order_behind_one_that_stays_in_float(tmp_path, convolutional):
    """The conversion appends its casts at the end: here those around TopK."""
    source, feeds = convolutional
    model = onnx.load(source)
    model.graph.initializer.append(numpy_helper.from_array(np.array([16], np.int64), "k"))
    model.graph.node[-1].output[0] = "before"
    model.graph.node.append(onnx.helper.make_node("TopK", ["before", "k"], ["sorted", "places"], "topk"))
    model.graph.node.append(onnx.helper.make_node("Relu", ["sorted"], ["y"], "relu"))
    onnx.save(model, source)
    made = to_half(source, tmp_path / "half.onnx").path
    load_model(made)
    assert close(source, made, feeds, 2e-3)


def test_weights_out_of_range_are_said(tmp_path, convolutional):
    source, _ = convolutional
    model = onnx.load(source)
    model.graph.initializer[3].CopyFrom(numpy_helper.from_array(np.full(16, 1e6, np.float32), "b0"))
    onnx.save(model, source)
    assert to_half(source, tmp_path / "half.onnx").notes == ("Weights beyond FP16's range were cut to it: b0.",)


def test_what_cannot_be_done_is_refused(tmp_path, convolutional):
    source, _ = convolutional
    with pytest.raises(ParameterError, match="got nothing_here"):
        to_half(source, tmp_path / "half.onnx", keep_float=["nothing_here"])
    made = to_half(source, tmp_path / "half.onnx").path
    with pytest.raises(ModelError, match="half precision"):
        to_half(made, tmp_path / "again.onnx")


def test_an_interrupt_at_any_step_leaves_all_as_it_was(convolutional, tmp_path, interrupted):
    target = tmp_path / "half.onnx"
    target.write_bytes(b"old")

    def work(progress):
        assert target.read_bytes() == b"old"
        to_half(convolutional[0], target, progress=progress)

    assert interrupted(work) == 2
    load_model(target)
