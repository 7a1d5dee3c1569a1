import numpy as np
import pytest
from onnx import defs, helper, numpy_helper

from edge_ai.optimization.inspection.tensorrt_operators import UNSUPPORTED, refusal


def node(kind, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def constants(**values):
    return {name: numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()}


def test_the_table_names_operators_of_onnx():
    assert {name for name in UNSUPPORTED if not defs.has(name)} == set()


@pytest.mark.parametrize("kind", ["Conv", "Relu", "Resize", "MatMul", "Softmax", "GridSample", "NonMaxSuppression"])
def test_usual_operators_are_taken(kind):
    assert refusal(node(kind), {}) == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (node("QLinearConv"), "not supported"),
        (node("DynamicQuantizeLinear"), "not supported"),
        (node("FusedConv", domain="com.microsoft"), "com.microsoft"),
        (node("QuantizeLinear", ["x", "s", "zero7"]), "zero point is not 0"),
        (node("DequantizeLinear", ["x", "s", "unsigned"]), "uint8"),
        (node("DequantizeLinear", ["x", "s", "computed"]), "computed"),
        (node("DequantizeLinear", ["x", "s", "zero"]), ""),
        (node("DequantizeLinear", ["x", "s"]), ""),
        (node("TopK", ["x", "many"]), "3840"),
        (node("TopK", ["x", "few"]), ""),
        (node("TopK", ["x", "few"], sorted=0), "unsorted"),
        (node("MaxPool", outputs=["y", "where"], kernel_shape=[2, 2]), "indices"),
        (node("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]), "dilations"),
        (node("MaxPool", kernel_shape=[2, 2], dilations=[1, 1]), ""),
        (node("ScatterND", ["x", "i", "u"], reduction="add"), "reduction"),
        (node("Unsqueeze", ["x", "computed"]), "computed"),
        (node("Unsqueeze", ["x", "axes"]), ""),
        (node("Slice", ["x", "few", "few", "computed"]), "computed"),
        (node("ReduceMean", ["x"]), ""),
    ],
)
def test_limits_are_looked_for_in_the_model(given, words):
    known = constants(
        zero=np.int8([0, 0]), zero7=np.int8([0, 7]), unsigned=np.uint8([0]), many=[5000], few=[100], axes=[0]
    )
    assert words in refusal(given, known) if words else refusal(given, known) == ""
