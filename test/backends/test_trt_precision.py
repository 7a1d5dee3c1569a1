"""The half-precision twin is run for real, by ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.backends.trt_precision import has_qdq, to_half
from edge_ai.core.errors import ModelError

RANDOM = np.random.default_rng(3)


def save(path, nodes, inputs, outputs, weights=()):
    info = [[helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in side] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "g", *info, [numpy_helper.from_array(w, n) for n, w in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def network(tmp_path):
    """A convolution whose output is resized and handed out, with the input itself and an integer beside it."""
    weights = [
        ("w", RANDOM.normal(0, 0.1, (4, 3, 3, 3)).astype(np.float32)),
        ("scales", np.array([1, 1, 2, 2], np.float32)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Resize", ["r", "", "scales"], ["big"], mode="nearest"),
        helper.make_node("Add", ["c", "r"], ["sum"]),
        helper.make_node("ArgMax", ["r"], ["best"], axis=1),
    ]
    f, i = TensorProto.FLOAT, TensorProto.INT64
    return save(
        tmp_path / "net.onnx",
        nodes,
        [("x", f, [1, 3, 8, 8])],
        [("big", f, [1, 4, 16, 16]), ("sum", f, [1, 4, 8, 8]), ("best", i, [1, 1, 8, 8])],
        weights,
    )


def test_the_twin_has_the_same_ends_and_nearly_the_same_answers(network):
    half = to_half(network)
    model = onnx.load_from_string(half)
    onnx.checker.check_model(model, full_check=True)
    assert any(t.data_type == TensorProto.FLOAT16 for t in model.graph.initializer), "the weights are in FP16"
    whole, twin = (onnxruntime.InferenceSession(m, providers=["CPUExecutionProvider"]) for m in (str(network), half))
    assert [(n.name, n.type, n.shape) for n in twin.get_outputs()] == [
        (n.name, n.type, n.shape) for n in whole.get_outputs()
    ]
    feeds = {"x": RANDOM.random((1, 3, 8, 8), np.float32)}
    big, total, best = twin.run(None, feeds)
    wanted = whole.run(None, feeds)
    np.testing.assert_allclose(big, wanted[0], atol=2e-3)
    np.testing.assert_allclose(total, wanted[1], atol=2e-3)
    assert big.dtype == np.float32
    assert best.dtype == np.int64
    assert np.abs(big - wanted[0]).max() > 0, "it computes in half precision"


def test_the_shipped_detector_has_a_twin():
    from edge_ai.runtime.resources import resource

    path = resource("models/nanodet_g_416.onnx")
    half = to_half(path)
    assert len(half) < 0.6 * path.stat().st_size
    # Its last level of optimisation breaks FP16 graphs on aarch64 (ONNX Runtime 1.32, indices of a Gather of its own).
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    cpu = ["CPUExecutionProvider"]
    sessions = [onnxruntime.InferenceSession(model, settings, providers=cpu) for model in (str(path), half)]
    whole, twin = sessions
    (node,) = whole.get_inputs()
    feeds = {node.name: RANDOM.normal(0, 1, [1, 3, 416, 416]).astype(np.float32)}
    for a, b in zip(whole.run(None, feeds), twin.run(None, feeds), strict=True):
        cosine = np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
        assert cosine > 0.999


def test_q_dq_is_seen(tmp_path, network):
    scale = [("s", np.array(0.1, np.float32)), ("z", np.array(0, np.int8))]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    ends = [("x", TensorProto.FLOAT, [4])], [("y", TensorProto.FLOAT, [4])]
    assert has_qdq(save(tmp_path / "qdq.onnx", nodes, *ends, scale))
    assert not has_qdq(network)


def test_a_torn_file_says_so(tmp_path):
    path = tmp_path / "torn.onnx"
    path.write_bytes(b"\x08\x07garbage" * 9)
    for look in (has_qdq, to_half):
        with pytest.raises(ModelError, match=r"torn.onnx.*whole ONNX model"):
            look(path)
