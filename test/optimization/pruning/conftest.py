"""Small networks, and what is left of them when channels go."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_ai.optimization.pruning.analysis import Analysis
from edge_ai.optimization.pruning.choice import choose
from edge_ai.optimization.pruning.graph import Graph
from edge_ai.optimization.pruning.rules import RULES


class Net:
    """Builds a network operator by operator; knows how many channels each tensor has."""

    def __init__(self, seed=0, opset=17):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants, self.channels, self.opset = [], [], {"x": 3}, opset

    def constant(self, array, dtype=None):
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def weight(self, *shape):
        return self.constant(self.random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape), np.float32)

    def op(self, kind, *inputs, channels=None, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{len(self.nodes)}", **attributes))
        self.channels.update(dict.fromkeys(names, channels or self.channels.get(inputs[0])))
        return names[0] if outputs == 1 else names

    def conv(self, x, out, side=3, group=1, **attributes):
        weight = self.weight(out, self.channels[x] // group, side, side)
        attributes = {"pads": [side // 2] * 4, "group": group, **attributes}
        return self.op("Conv", x, weight, self.weight(out), channels=out, **attributes)

    def normalised(self, x):
        numbers = [self.constant(self.random.uniform(0.5, 1.5, self.channels[x]), np.float32) for _ in range(4)]
        return self.op("BatchNormalization", x, *numbers)

    def model(self, *outputs, batch=1, side=8):
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        start = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, side, side])
        graph = helper.make_graph(self.nodes, "net", [start], ends, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model, full_check=True)
        return model


class ByChance:
    """Ranks channels at random."""

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)

    def costs(self, members):
        return {member: self._random.random() for member in members}

    def remove(self, member):
        pass


def outputs_of(model, feed):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feed)


def cut_and_silenced(model, amount=0.4, seed=0, keep=()):
    """The model without some channels, and the whole one in which no layer makes or reads those."""
    whole = Graph(copy.deepcopy(model))
    cut = Graph(copy.deepcopy(model))
    analysis = Analysis(cut, RULES, keep)
    removed = choose(analysis, ByChance(seed), amount, 1)
    gone = np.array(sorted(removed), np.int64)
    for layer in analysis.layers:
        bias = [name for name in layer.node.input[2:3] if layer.node.op_type != "MatMul"]
        for name in (layer.weight, *bias):
            value = whole.value(name).copy()
            for place, axis in enumerate(analysis.of(name)):
                if axis is not None:
                    np.moveaxis(value, place, 0)[np.isin(analysis.slots.roots(axis), gone)] = 0
            whole.set_value(name, value)
    analysis.remove(removed)
    onnx.checker.check_model(cut.model, full_check=True)
    return cut.model, whole.model, removed


@pytest.fixture
def net():
    return Net()


@pytest.fixture(scope="session")
def new_net():
    return Net


@pytest.fixture(scope="session")
def agree():
    """Removes channels and checks that whoever did not make or read them answers the same; how many went."""

    def agree(model, amount=0.4, seed=0, keep=(), shape=(1, 3, 8, 8), name="x", dtype=np.float32):
        cut, whole, removed = cut_and_silenced(model, amount, seed, keep)
        feed = {name: np.random.default_rng(seed).normal(size=shape).astype(dtype)}
        for got, wanted in zip(outputs_of(cut, feed), outputs_of(whole, feed), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
        if removed:
            assert cut.ByteSize() < whole.ByteSize()
        return len(removed)

    return agree
