"""Building an ONNX graph node by node: every shape is known as soon as a node stands, constants are worked out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import DTypeLike
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import InferenceError, infer_shapes

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.fold import fold

Pads = tuple[int, int, int, int]  # top, left, bottom, right

OPSET = 17
IR_VERSION = 8  # of that opset's time: read by every ONNX Runtime since 1.12 and TensorRT since 8.5
PRODUCER = "edge_ai tools/models.py"


@dataclass(frozen=True)
class Tensor:
    """A value in the graph.

    Attributes:
        name: unique in the graph.
        shape: sizes; only a batch axis may be a name instead.
        dtype: NumPy's.
        value: the numbers, where they are known already.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: np.dtype[Any]
    value: Array | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def sizes(self) -> tuple[int, ...]:
        """The shape in numbers.

        Raises:
            ConversionError: an axis is open.
        """
        if any(isinstance(size, str) for size in self.shape):
            raise ConversionError(f"the size of {self.name} {self.shape} is open")
        return tuple(int(size) for size in self.shape)


class Graph:
    """An ONNX graph under construction."""

    def __init__(self) -> None:
        self._inputs: list[Tensor] = []
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {}
        self._count = 0

    def input(self, name: str, dtype: DTypeLike, shape: tuple[int | str, ...]) -> Tensor:
        """An input of the model."""
        tensor = Tensor(name, shape, np.dtype(dtype))
        self._inputs.append(tensor)
        return tensor

    def constant(self, value: Any, dtype: DTypeLike = None) -> Tensor:
        """Known numbers; they become part of the model where a node reads them."""
        array = np.asarray(value, dtype)
        return Tensor(self._unique("const"), array.shape, array.dtype, array)

    def add(self, operator: str, *inputs: Tensor, **attributes: Any) -> Tensor:
        """Add a node with one output; see `add_many`."""
        return self.add_many(operator, 1, *inputs, **attributes)[0]

    def add_many(self, operator: str, outputs: int, *inputs: Tensor, **attributes: Any) -> list[Tensor]:
        """Add a node, or work it out where all its inputs are known.

        Raises:
            ConversionError: ONNX has no such operator, or does not take these inputs.
        """
        names = [self._unique(operator) for _ in range(outputs)]
        node = helper.make_node(operator, [tensor.name for tensor in inputs], names, name=names[0], **attributes)
        known = {tensor.name: tensor.value for tensor in inputs if tensor.value is not None}
        try:
            if inputs and len(known) == len({tensor.name for tensor in inputs}):
                return self._worked_out(node, known)
            tensors = _inferred(node, inputs)
        except (RuntimeError, TypeError, ValueError, onnx.defs.SchemaError, InferenceError) as error:
            shapes = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in inputs)
            raise ConversionError(f"{operator} of {shapes}: {error}") from None
        self._constants.update(known)
        self._nodes.append(node)
        return tensors

    def model(self, outputs: dict[str, Tensor], name: str) -> onnx.ModelProto:
        """The finished, checked model.

        Args:
            outputs: what it answers, by the name to give it.
            name: of the graph.
        """
        fold(self._nodes, self._constants, [tensor.name for tensor in outputs.values()])
        new_names = {tensor.name: output for output, tensor in outputs.items()}
        for node in self._nodes:
            for side in (node.input, node.output):
                side[:] = [new_names.get(tensor, tensor) for tensor in side]
        graph = helper.make_graph(
            self._nodes,
            name,
            [_value_info(tensor) for tensor in self._inputs],
            [_value_info(replace(tensor, name=output)) for output, tensor in outputs.items()],
            [numpy_helper.from_array(value, key) for key, value in self._constants.items()],
        )
        return finished(graph)

    def _unique(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"

    def _worked_out(self, node: onnx.NodeProto, known: dict[str, Array]) -> list[Tensor]:
        info = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in [*known, *node.output]]
        graph = helper.make_graph([node], "constants", info[: len(known)], info[len(known) :])
        opset = [helper.make_opsetid("", OPSET)]
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION))
        return [self.constant(value) for value in evaluator.run(None, known)]


def same_pads(size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int]) -> Pads:
    """TensorFlow's padding SAME, the odd pixel at the bottom and right."""
    needed = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, stride, strict=True)]
    return needed[0] // 2, needed[1] // 2, needed[0] - needed[0] // 2, needed[1] - needed[1] // 2


def finished(graph: onnx.GraphProto) -> onnx.ModelProto:
    """A model of a graph, without what nothing reads, checked.

    Raises:
        ConversionError: the graph is not one.
    """
    _drop_unread(graph)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name=PRODUCER)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, InferenceError) as error:
        raise ConversionError(f"what came of it is no valid model: {error}") from None
    return model


def _drop_unread(graph: onnx.GraphProto) -> None:
    read = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if read.intersection(node.output):
            read.update(node.input)
            kept.append(node)
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)


def _value_info(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, helper.np_dtype_to_tensor_dtype(tensor.dtype), tensor.shape)


def _inferred(node: onnx.NodeProto, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """What a node's outputs are, by ONNX's own rules.

    Raises:
        ValueError: an output's shape stays unknown.
    """
    free = [_value_info(tensor) for tensor in inputs if tensor.value is None]
    constants = {tensor.name: tensor.value for tensor in inputs if tensor.value is not None}
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph([node], "one", free, [], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    inferred = infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph.value_info
    found = {value.name: value.type for value in inferred}
    tensors = []
    for name in node.output:
        kind = found[name].tensor_type if name in found else onnx.TypeProto.Tensor()
        shape = tuple(dim.dim_param or dim.dim_value for dim in kind.shape.dim)
        if not kind.HasField("shape") or any(size == 0 for size in shape):
            raise ValueError("the shape of its output cannot be told")
        tensors.append(Tensor(name, shape, np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))))
    return tensors
