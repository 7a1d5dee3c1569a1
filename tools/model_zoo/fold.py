"""What multiplies and shifts the channels of a convolution becomes part of its weights and bias.

Not every engine does this by itself, least of all after transposed convolutions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np
import onnx
from onnx import helper

from model_zoo.arrays import Array

CHANNELS = {"Conv": 0, "ConvTranspose": 1}
"""Which axis of an operator's weights its output channels lie along."""


def fold(nodes: list[onnx.NodeProto], constants: dict[str, Array], outputs: Collection[str]) -> None:
    """Fold Mul, Add and BatchNormalization into the convolutions that only they read.

    Args:
        nodes: in an order in which they can run; changed.
        constants: known values by name; new ones are added.
        outputs: names of tensors that are read from outside.
    """
    readers = Counter([name for node in nodes for name in node.input] + list(outputs))
    makers = {node.output[0]: node for node in nodes}
    for node in list(nodes):
        data = [name for name in node.input if name not in constants]
        conv = makers.get(data[0]) if len(data) == 1 else None
        if conv is None or readers[data[0]] > 1 or not _is_plain(conv, constants):
            continue
        change = _change(node, constants, constants[conv.input[1]].shape[CHANNELS[conv.op_type]])
        if change is None:
            continue
        _apply(conv, constants, *change)
        conv.output[0] = node.output[0]
        makers[conv.output[0]] = conv
        nodes.remove(node)


def _is_plain(node: onnx.NodeProto, constants: dict[str, Array]) -> bool:
    """Whether a node is a convolution whose weights have an axis of output channels."""
    if node.op_type not in CHANNELS or any(name not in constants for name in node.input[1:]):
        return False
    return node.op_type == "Conv" or attribute(node, "group", 1) == 1


def _change(node: onnx.NodeProto, constants: dict[str, Array], channels: int) -> tuple[Array, Array] | None:
    """Factor and shift of each channel; None where a node does anything else."""
    if node.op_type == "BatchNormalization":
        gain, shift, mean, variance = (constants[name].astype(np.float64) for name in node.input[1:5])
        factor = gain / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
        return factor, shift - mean * factor
    if node.op_type not in ("Mul", "Add"):
        return None
    value = next(constants[name] for name in node.input if name in constants)
    if value.size != 1 and value.shape not in ((1, channels, 1, 1), (channels, 1, 1)):
        return None
    each = np.broadcast_to(value.reshape(-1), channels).astype(np.float64)
    return (each, np.zeros(channels)) if node.op_type == "Mul" else (np.ones(channels), each)


def _apply(conv: onnx.NodeProto, constants: dict[str, Array], factor: Array, shift: Array) -> None:
    weight = constants[conv.input[1]]
    axis = CHANNELS[conv.op_type]
    bias = constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(weight.shape[axis])
    names = [f"{conv.output[0]}_weight", f"{conv.output[0]}_bias"]
    along = [-1 if i == axis else 1 for i in range(weight.ndim)]
    constants[names[0]] = (weight * factor.reshape(along)).astype(weight.dtype)
    constants[names[1]] = (bias * factor + shift).astype(weight.dtype)
    conv.input[:] = [conv.input[0], *names]


def attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    """A number among the attributes of a node."""
    return next((float(helper.get_attribute_value(a)) for a in node.attribute if a.name == name), default)
