"""Small models of the kinds that are quantised, and pictures for them."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.backends import onnxrt_faults


def _random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape, scale=1 / np.sqrt(np.prod(shape[1:]))).astype("f")


def _model(nodes, weights, given, wanted, opset=17):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, given)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, wanted)
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def convolutions(opset=17):
    """A stem with SiLU (two take its output), a grouped layer (its input is taken thrice) and a residual sum."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0", "b0"], ["c0"], "stem", pads=[1] * 4),
        node("Sigmoid", ["c0"], ["s0"], "sigmoid"),
        node("Mul", ["c0", "s0"], ["m0"], "silu"),
        node("Conv", ["m0", "w1", "b1"], ["c1"], "grouped", pads=[1] * 4, group=4),
        node("Conv", ["m0", "w2", "b2"], ["c2"], "pointwise"),
        node("Add", ["c1", "c2"], ["a"], "sum"),
        node("Add", ["a", "m0"], ["y"], "residual"),
    ]
    weights = {"w0": _random(16, 3, 3, 3), "w1": _random(16, 4, 3, 3), "w2": _random(16, 16, 1, 1)}
    weights |= {f"b{i}": _random(16, 1)[:, 0] for i in range(3)}
    return _model(nodes, weights, ["N", 3, 16, 16], ["N", 16, 16, 16], opset)


def transformer():
    """Attention, a feed-forward layer and a head."""
    node = helper.make_node
    nodes = [
        node("LayerNormalization", ["x", "g", "b"], ["n"], "norm"),
        *(node("MatMul", ["n", f"w{name}"], [name], name) for name in ("query", "key", "value")),
        node("Transpose", ["key"], ["turned"], "turn", perm=[0, 2, 1]),
        node("MatMul", ["query", "turned"], ["alike"], "alike"),
        node("Softmax", ["alike"], ["soft"], "soft", axis=-1),
        node("MatMul", ["soft", "value"], ["seen"], "seen"),
        node("Add", ["seen", "x"], ["sum"], "residual"),
        node("MatMul", ["sum", "wwide"], ["f"], "wide"),
        node("Relu", ["f"], ["r"], "relu"),
        node("ReduceMean", ["r"], ["p"], "mean", axes=[1], keepdims=0),
        node("Gemm", ["p", "whead", "bhead"], ["y"], "head", transB=1),
    ]
    weights = {f"w{name}": _random(32, 32) for name in ("query", "key", "value")}
    weights |= {"g": np.ones(32, "f"), "b": np.zeros(32, "f"), "wwide": _random(32, 64)}
    weights |= {"whead": _random(10, 64), "bhead": _random(10, 1)[:, 0]}
    return _model(nodes, weights, ["N", 8, 32], ["N", 10])


def _feeds(shape, count=8):
    generator = np.random.default_rng(3)
    arrays = [generator.normal(size=shape).astype(np.float32) for _ in range(count)]
    return lambda: ({"x": array} for array in arrays)


@pytest.fixture(params=["convolutions", "transformer"])
def network(request, tmp_path):
    """A float model's file and pictures for it."""
    path = tmp_path / "float.onnx"
    made, shape = (convolutions(), (1, 3, 16, 16)) if request.param == "convolutions" else (transformer(), (1, 8, 32))
    onnx.save(made, path)
    return path, _feeds(shape)


@pytest.fixture
def convolutional(tmp_path):
    """The same, of convolutions only."""
    path = tmp_path / "float.onnx"
    onnx.save(convolutions(), path)
    return path, _feeds((1, 3, 16, 16))


@pytest.fixture
def change(tmp_path):
    """Run two models and say how far apart their answers are, relative to their length."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(path, feed):
        options = onnxruntime.SessionOptions()
        onnxrt_faults.avoid(options)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run(None, feed)[0]

    def measure(before, after, feed):
        right = run(before, feed)
        return float(np.linalg.norm(run(after, feed) - right) / np.linalg.norm(right))

    return measure


@pytest.fixture
def executed(tmp_path):
    """Count the operators that ONNX Runtime runs after all its optimisations."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def count(path):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "executed.onnx"), 4
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        found = Counter(node.op_type for node in onnx.load(tmp_path / "executed.onnx").graph.node)
        (tmp_path / "executed.onnx").unlink()
        return found

    return count


@pytest.fixture
def interrupted():
    """Run something once for each call of its progress, each time interrupted at another; tell how often."""

    def interrupt(work):
        calls = 0
        while True:
            left = calls

            def progress(*_):
                nonlocal left
                if left == 0:
                    raise KeyboardInterrupt
                left -= 1

            try:
                work(progress)
            except KeyboardInterrupt:
                calls += 1
            else:
                return calls

    return interrupt


_COLOURS = importlib.util.spec_from_file_location("colours", Path(__file__).with_name("colours.py"))
colours = importlib.util.module_from_spec(_COLOURS)
_COLOURS.loader.exec_module(colours)


@pytest.fixture(scope="session")
def colour_data(tmp_path_factory):
    """A small real classifier: paths of its card, of thirty pictures and of their labels."""
    return colours.make(tmp_path_factory.mktemp("colours"))


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    """What is judged here is not how fast models are."""
    monkeypatch.setattr("edge_ai.optimization.judging.measure.TURN_S", 0.02)
