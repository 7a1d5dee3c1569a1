"""The network as the parser leaves it: names, shapes and layers, with the ONNX model behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorrt._enums import data_type
from tensorrt._native import Native


class ITensor(Native):
    """An input or output of the network; open sizes are -1."""

    def __init__(self, name: str, dtype: Any, shape: tuple[int, ...]) -> None:
        self._own_name, self._own_dtype, self._own_shape = name, dtype, shape

    name = property(lambda self: self._own_name)
    dtype = property(lambda self: self._own_dtype)
    shape = property(lambda self: self._own_shape)


class ILayer(Native):
    """One operator."""

    def __init__(self, name: str, operator: str) -> None:
        self._own_name, self._own_operator = name, operator

    name = property(lambda self: self._own_name)


class INetworkDefinition(Native):
    """Filled by a parser."""

    def __init__(self, flags: int) -> None:
        self._own_flags = flags
        self._own_model: Any = None
        self._own_inputs: list[ITensor] = []
        self._own_outputs: list[ITensor] = []
        self._own_layers: list[ILayer] = []

    num_inputs = property(lambda self: len(self._own_inputs))
    num_outputs = property(lambda self: len(self._own_outputs))
    num_layers = property(lambda self: len(self._own_layers))

    def get_input(self, index: int) -> ITensor:
        """An input."""
        return self._own_inputs[index]

    def get_output(self, index: int) -> ITensor:
        """An output."""
        return self._own_outputs[index]

    def get_layer(self, index: int) -> ILayer:
        """A layer."""
        return self._own_layers[index]


def fill(network: INetworkDefinition, model: Any) -> None:
    """Take over an ONNX model."""
    initial = {tensor.name for tensor in model.graph.initializer}
    network._own_model = model
    network._own_inputs = [_tensor(value) for value in model.graph.input if value.name not in initial]
    network._own_outputs = [_tensor(value) for value in model.graph.output]
    network._own_layers = [ILayer(node.name or f"node_{i}", node.op_type) for i, node in enumerate(model.graph.node)]


def _tensor(value: Any) -> ITensor:
    from onnx import helper

    kind = value.type.tensor_type
    shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim)
    return ITensor(value.name, data_type(np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))), shape)
