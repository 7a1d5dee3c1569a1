"""How channels pass through operators with weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_ai.optimization.pruning.analysis import Analysis, Layer, Left
from edge_ai.optimization.pruning.graph import attribute, set_attribute
from edge_ai.optimization.pruning.rules_elementwise import broadcast
from edge_ai.optimization.pruning.slots import Axis


def convolution(analysis: Analysis, node: Any) -> None:
    """Conv: weight [C_out, C_in / groups, ...]. Groups of several channels all lose the same ones."""
    x, weight = analysis.of(node.input[0]), analysis.of(node.input[1])
    inputs, outputs = analysis.shape(node.input[0])[1], analysis.shape(node.input[1])[0]
    groups = attribute(node, "group", 1)
    if groups == 1:
        analysis.slots.join(weight[1], x[1])
        out = weight[0]
    elif groups == inputs:
        out = _depthwise(analysis, node, x[1], outputs // inputs)
        analysis.slots.join(weight[0], out)
        analysis.slots.pin(weight[1])
    else:
        analysis.slots.join(weight[1], _same_in_each(analysis, x[1], groups))
        first = _same_in_each(analysis, weight[0], groups)
        out = None if first is None else np.tile(first, groups)
    _finish(analysis, node, out, x, weight)
    _register(analysis, node, 0, 1 if groups < inputs or groups == 1 else None, 1)


def transposed_convolution(analysis: Analysis, node: Any) -> None:
    """ConvTranspose: weight [C_in, C_out / groups, ...]."""
    x, weight = analysis.of(node.input[0]), analysis.of(node.input[1])
    inputs, groups = analysis.shape(node.input[0])[1], attribute(node, "group", 1)
    if groups == 1:
        analysis.slots.join(weight[0], x[1])
        out = weight[1]
    elif groups == inputs:
        out = _depthwise(analysis, node, x[1], analysis.shape(node.input[1])[1])
        analysis.slots.join(weight[0], x[1])
        analysis.slots.pin(weight[1])
    else:
        _same_in_each(analysis, x[1], groups)
        analysis.slots.join(weight[0], x[1])
        out = None if weight[1] is None else np.tile(weight[1], groups)
    _finish(analysis, node, out, x, weight)
    if groups == 1:
        _register(analysis, node, 1, 0, 1)
    elif groups == inputs:
        _register(analysis, node, 0, None, 1)


def gemm(analysis: Analysis, node: Any) -> None:
    """Gemm: [M, K] x [K, N] + [M, N], each of the first two possibly transposed."""
    left, right = analysis.of(node.input[0]), analysis.of(node.input[1])
    row, inner_left = (1, 0) if attribute(node, "transA", 0) else (0, 1)
    inner_right, column = (1, 0) if attribute(node, "transB", 0) else (0, 1)
    analysis.slots.join(left[inner_left], right[inner_right])
    out = (left[row], right[column])
    if len(node.input) > 2 and node.input[2]:
        shapes = [analysis.shape(node.output[0]), analysis.shape(node.input[2])]
        out = broadcast(analysis, shapes[0], shapes, [out, analysis.of(node.input[2])])  # type: ignore[assignment]
    analysis.axes[node.output[0]] = out
    if not attribute(node, "transA", 0):
        _register(analysis, node, column, inner_right, -1)


def matrix_product(analysis: Analysis, node: Any) -> None:
    """MatMul: [..., M, K] x [..., K, N]."""
    names = node.input
    if min(len(analysis.shape(name)) for name in names) < 2:
        analysis.opaque(node)
        return
    left, right = analysis.of(names[0]), analysis.of(names[1])
    analysis.slots.join(left[-1], right[-2])
    out = analysis.shape(node.output[0])
    batch = broadcast(analysis, out[:-2], [analysis.shape(name)[:-2] for name in names], [left[:-2], right[:-2]])
    analysis.axes[node.output[0]] = (*batch, left[-2], right[-1])
    if len(right) == 2:
        _register(analysis, node, 1, 0, -1)


def normalisation(analysis: Analysis, node: Any) -> None:
    """BatchNormalization and InstanceNormalization: a number for each channel."""
    x = analysis.of(node.input[0])
    if len(node.output) > 1:
        analysis.opaque(node)
        return
    for name in node.input[1:]:
        analysis.slots.join(analysis.of(name)[0], x[1])
    over_image = node.op_type == "InstanceNormalization"
    if over_image:
        analysis.slots.pin(*x[2:])
    analysis.axes[node.output[0]] = x


def _depthwise(analysis: Analysis, node: Any, channels: Axis, multiplier: int) -> Axis:
    """Each input channel makes `multiplier` output channels, and they go with it."""
    if channels is None:
        return None

    def mend(left: Left) -> None:
        set_attribute(node, "group", left.count(channels))

    analysis.mend(mend)
    return np.repeat(channels, multiplier)


def _same_in_each(analysis: Analysis, axis: Axis, groups: int) -> Axis:
    """Ties the channels at the same place in each group; those of one group."""
    return None if axis is None else analysis.slots.join_rows(axis.reshape(groups, -1))


def _finish(analysis: Analysis, node: Any, out: Axis, x: tuple[Axis, ...], weight: tuple[Axis, ...]) -> None:
    """The bias goes with the output channels; nothing along the sides of an image is removed."""
    analysis.slots.pin(*x[2:], *weight[2:])
    if len(node.input) > 2 and node.input[2]:
        analysis.slots.join(analysis.of(node.input[2])[0], out)
    analysis.axes[node.output[0]] = (x[0], out, *(None for _ in x[2:]))


def _register(analysis: Analysis, node: Any, out_axis: int, in_axis: int | None, channel_axis: int) -> None:
    if analysis.graph.value(node.input[1]) is not None:
        groups = attribute(node, "group", 1)
        analysis.layers.append(Layer(node, node.input[1], out_axis, in_axis, channel_axis, groups))
