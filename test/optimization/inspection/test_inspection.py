"""Small models whose costs can be told by hand, the shipped one, and files that are no models."""

import numpy as np
import pytest
from onnx import TensorProto, external_data_helper, helper, load, numpy_helper, save

from edge_ai.core.errors import CardError, ModelError
from edge_ai.optimization.inspection.flops import count
from edge_ai.optimization.inspection.inspection import inspect
from edge_ai.runtime.resources import shipped_card

FLOAT = TensorProto.FLOAT


def tensor(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def write(path, nodes, weights=(), shape=(1, 3, 8, 6), out=None, domains=(), opset=17):
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info("out", FLOAT, out)],
        list(weights),
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="hand", producer_version="1"), path)
    return path


def node(kind, inputs, *outputs, **attributes):
    return helper.make_node(kind, inputs, list(outputs), name=outputs[0], **attributes)


@pytest.fixture
def small(tmp_path):
    nodes = [
        node("Conv", ["x", "w"], "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], "r"),
        node("Add", ["r", "c"], "a"),
        node("Relu", ["a"], "out"),
    ]
    return write(tmp_path / "small.onnx", nodes, [tensor("w", np.zeros((4, 3, 3, 3), np.float32))])


def test_a_small_model_by_hand(small):
    found = inspect(small)
    assert (found.opsets, found.ir, found.producer, found.bytes) == ({"": 17}, 8, "hand 1", small.stat().st_size)
    assert [(p.name, p.dtype, p.shape) for p in found.inputs] == [("x", "float32", (1, 3, 8, 6))]
    assert [p.name for p in found.outputs] == ["out"]
    assert found.operators == {"Relu": 2, "Conv": 1, "Add": 1}
    assert (found.parameters, found.weight_bytes) == (108, 432)
    assert found.flops == 2 * 108 * 8 * 6
    assert found.size == (6, 8)
    # c, r and a, each of 4 x 8 x 6 numbers, exist at once while they are added; the input is gone by then
    assert found.peak_activation_bytes == 3 * 4 * 8 * 6 * 4
    assert found.notes == ()


def test_the_shipped_model_by_its_card_and_by_its_file():
    by_card, by_file = inspect(shipped_card()), inspect(shipped_card().with_suffix(".onnx"))
    assert by_card == by_file
    assert by_card.flops == count(by_card.path).flops
    assert by_card.operators["Conv"] == 34
    assert 3.5e6 < by_card.parameters < 4.5e6
    assert by_card.weight_bytes == pytest.approx(by_card.bytes, rel=0.02)
    assert 416 * 416 * 3 * 4 < by_card.peak_activation_bytes < 100e6
    assert [one.takes for one in by_card.support] == [True, True]


def test_narrow_types_take_their_own_room(tmp_path):
    nodes = [node("DequantizeLinear", ["w", "s"], "d"), node("Add", ["x", "d"], "out")]
    weights = [tensor("w", np.zeros((8, 6), np.int8)), tensor("s", np.float32(0.1))]
    found = inspect(write(tmp_path / "small.onnx", nodes, weights))
    assert (found.parameters, found.weight_bytes) == (49, 48 + 4)


def test_what_a_branch_reads_is_kept_until_then(tmp_path):
    outside = helper.make_graph(
        [node("Relu", ["a"], "y")], "yes", [], [helper.make_tensor_value_info("y", FLOAT, None)]
    )
    other = helper.make_graph([node("Neg", ["a"], "z")], "no", [], [helper.make_tensor_value_info("z", FLOAT, None)])
    nodes = [
        node("Relu", ["x"], "a"),
        node("Relu", ["x"], "b"),
        node("Add", ["b", "b"], "c"),
        node("ReduceMax", ["c"], "m", keepdims=0),
        node("Cast", ["m"], "yes", to=TensorProto.BOOL),
        node("If", ["yes"], "out", then_branch=outside, else_branch=other),
    ]
    found = inspect(write(tmp_path / "small.onnx", nodes, out=(1, 3, 8, 6)))
    assert found.operators == {"Relu": 3, "Add": 1, "ReduceMax": 1, "Cast": 1, "If": 1, "Neg": 1}
    assert found.peak_activation_bytes == 3 * 3 * 8 * 6 * 4  # x, a, b and then a, b, c


def test_an_open_size_is_asked_for_and_taken(tmp_path):
    nodes = [node("Conv", ["x", "w"], "out", kernel_shape=[1, 1])]
    weights = [tensor("w", np.zeros((4, 3, 1, 1), np.float32))]
    path = write(tmp_path / "open.onnx", nodes, weights, shape=("N", 3, "H", "W"))
    found = inspect(path)
    assert found.inputs[0].shape == ("N", 3, "H", "W")
    assert (found.flops, found.peak_activation_bytes, found.size) == (None, None, None)
    assert "open width or height" in found.notes[0]
    found = inspect(path, (6, 8))
    assert (found.flops, found.size, found.notes) == (2 * 12 * 48, (6, 8), ())


def test_onnx_runtime_names_an_operator_it_does_not_know(tmp_path):
    path = write(tmp_path / "odd.onnx", [node("Warp", ["x"], "out", domain="my.own")], domains=["my.own"])
    runtime, tensorrt = inspect(path).support
    assert runtime.takes is False
    assert runtime.refused[0].operator == "Warp"
    assert tensorrt.takes is False
    assert (tensorrt.refused[0].operator, tensorrt.refused[0].nodes) == ("Warp", ("out",))
    assert inspect(path).operators == {"my.own:Warp": 1}


def test_the_table_speaks_where_tensorrt_is_missing(small):
    tensorrt = inspect(small).support[1]
    assert tensorrt.engine == "TensorRT"
    assert "table of onnx-tensorrt" in tensorrt.asked
    assert "not installed" in tensorrt.asked


def test_tensorrt_itself_is_asked_where_it_is(double_gpu, small, tmp_path):
    double_gpu()
    good = inspect(small).support[1]
    bad = inspect(write(tmp_path / "odd.onnx", [node("Warp", ["x"], "out")])).support[1]
    assert (good.asked, good.takes) == ("its parser", True)
    assert bad.takes is False
    assert bad.refused


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def text(path):
    path.write_text("meeting at ten\n" * 40)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "empty file"),
        (cut, "cut off"),
        (text, "whole ONNX model|without a graph"),
    ],
    ids=["missing", "empty", "cut", "text"],
)
def test_what_is_no_model_is_refused(small, spoil, words):
    spoil(small)
    with pytest.raises(ModelError, match=words):
        inspect(small)


def test_missing_weights_are_named(small):
    model = load(small)
    external_data_helper.convert_model_to_external_data(model, location="small.data", size_threshold=0)
    save(model, small)
    assert inspect(small).weight_bytes == 432
    (small.parent / "small.data").unlink()
    with pytest.raises(ModelError, match=r"small\.data"):
        inspect(small)


def test_a_wrong_card_is_a_wrong_card(tmp_path):
    (tmp_path / "card.yaml").write_text("name: x\n")
    with pytest.raises(CardError):
        inspect(tmp_path / "card.yaml")
