"""Counts against what a small network's multiplications come to by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, checker, helper, numpy_helper, save

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.inspection.flops import count
from edge_ai.processing.card import ModelCard

ROOT = Path(__file__).parents[3]


def weights(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, np.float32), name)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], name=output, **attributes)


@pytest.fixture
def write(tmp_path):
    def write(nodes, initializers=(), shape=(1, 3, 8, 6), out=None, domains=()):
        graph = helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, out)],
            list(initializers),
        )
        opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        path = tmp_path / "small.onnx"
        save(model, path)
        return path

    return write


def test_a_small_network_by_hand(write):
    nodes = [
        node("Conv", ["x", "w1", "b1"], "c1", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),  # 4x4x3
        node("Relu", ["c1"], "r1"),
        node("Conv", ["r1", "w2"], "c2", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=4),  # depthwise
        node("ConvTranspose", ["c2", "w3"], "c3", kernel_shape=[2, 2], strides=[2, 2]),  # 2x8x6
        node("Flatten", ["c3"], "f"),
        node("Gemm", ["f", "w4", "b4"], "g", transB=1),  # 96 -> 10
        node("MatMul", ["g", "w5"], "out"),  # 10 -> 5
    ]
    tensors = [
        weights("w1", 4, 3, 3, 3),
        weights("b1", 4),
        weights("w2", 4, 1, 3, 3),
        weights("w3", 4, 2, 2, 2),
        weights("w4", 10, 96),
        weights("b4", 10),
        weights("w5", 10, 5),
    ]
    path = write(nodes, tensors, out=(1, 5))
    checker.check_model(str(path))
    cost = count(path)
    first, depthwise = 4 * 4 * 3 * (3 * 3 * 3), 4 * 4 * 3 * (1 * 3 * 3)
    transposed = 4 * 4 * 3 * (2 * 2 * 2)
    assert cost.flops == 2 * (first + depthwise + transposed + 96 * 10 + 10 * 5)
    assert cost.weights == 108 + 4 + 36 + 32 + 960 + 10 + 50
    assert cost.activations == 48 + 48 + 96 + 10 + 5
    assert cost.operators == {"Conv": 2, "ConvTranspose": 1, "Gemm": 1, "MatMul": 1}
    assert cost.left_out == ()
    assert cost.size == (6, 8)
    workload = cost.workload("small")
    assert (workload.gflops, workload.operators, workload.size) == (pytest.approx(cost.flops * 1e-9), 5, (6, 8))


def test_a_matrix_product_of_two_computed_ones(write):
    """Attention: each of 3 heads multiplies (8, 6) by (6, 8)."""
    nodes = [node("Transpose", ["x"], "t", perm=[0, 1, 3, 2]), node("MatMul", ["x", "t"], "out")]
    assert count(write(nodes)).flops == 2 * 3 * 8 * 8 * 6


def test_gemm_of_a_transposed_input(write):
    nodes = [
        node("Constant", [], "shape", value=numpy_helper.from_array(np.array([16, 9]))),
        node("Reshape", ["x", "shape"], "m"),
        node("Gemm", ["m", "w"], "out", transA=1),
    ]
    cost = count(write(nodes, [weights("w", 16, 5)]))
    assert cost.flops == 2 * 9 * 5 * 16


def test_a_quantised_convolution_counts_like_any_other(write):
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], "w", axis=0),
        node("Conv", ["x", "w"], "out", kernel_shape=[1, 1]),
    ]
    tensors = [
        numpy_helper.from_array(np.zeros((4, 3, 1, 1), np.int8), "q"),
        numpy_helper.from_array(np.ones(4, np.float32), "s"),
        numpy_helper.from_array(np.zeros(4, np.int8), "z"),
    ]
    assert count(write(nodes, tensors)).flops == 2 * 4 * 48 * 3


def test_open_batch_is_one_and_open_size_is_asked_for(write):
    nodes = [node("Conv", ["x", "w"], "out", kernel_shape=[1, 1])]
    path = write(nodes, [weights("w", 4, 3, 1, 1)], shape=("batch", 3, "height", "width"))
    with pytest.raises(ModelError, match="input 'x': got open width or height; wanted fixed ones, or a size"):
        count(path)
    cost = count(path, (6, 8))
    assert (cost.flops, cost.size) == (2 * 4 * 48 * 3, (6, 8))
    assert count(path, (12, 8)).flops == 2 * cost.flops


def test_colours_last(write):
    nodes = [node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], "out", kernel_shape=[1, 1])]
    cost = count(write(nodes, [weights("w", 4, 3, 1, 1)], shape=(1, "h", "w", 3)), (6, 8))
    assert (cost.flops, cost.size) == (2 * 4 * 48 * 3, (6, 8))


def test_what_cannot_be_counted_is_named(write):
    nodes = [
        node("Conv", ["x", "w"], "c", kernel_shape=[1, 1]),
        node("Magic", ["c"], "out", domain="com.example"),
    ]
    assert count(write(nodes, [weights("w", 4, 3, 1, 1)], domains=["com.example"])).left_out == ("out (Magic)",)


def test_a_convolution_behind_the_unknown_is_refused(write):
    nodes = [
        node("Magic", ["x"], "m", domain="com.example"),
        node("Conv", ["m", "w"], "out", kernel_shape=[1, 1]),
    ]
    with pytest.raises(ModelError, match="got no shape of 'out' at Conv 'out'"):
        count(write(nodes, [weights("w", 4, 3, 1, 1)], domains=["com.example"]))


def test_a_model_without_work_has_no_workload(write):
    with pytest.raises(ModelError, match="model 'm': got no operator that could be counted; wanted Conv"):
        count(write([node("Relu", ["x"], "out")])).workload("m")


def test_not_a_model(tmp_path):
    with pytest.raises(ModelError, match="got No such file or directory"):
        count(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a model at all")
    with pytest.raises(ModelError, match="wanted an ONNX model"):
        count(tmp_path / "text.onnx")


def test_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EdgeAIError, match=r"onnx is not installed.*pip install onnx"):
        count("model.onnx")


def test_the_shipped_model_has_what_its_authors_say():
    """NanoDet-g at 416 x 416: 4.2 GFLOPs and 3.8 million weights by its authors."""
    card = ModelCard.load(ROOT / "models/nanodet_g_416.yaml")
    cost = count(card.model_path)
    assert cost.flops == pytest.approx(4.2e9, rel=0.01)
    assert cost.weights == pytest.approx(3.8e6, rel=0.02)
    assert cost.size == card.input.size
