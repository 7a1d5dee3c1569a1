"""How channels pass through operators that treat each number or each channel for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_ai.optimization.pruning.analysis import Analysis
from edge_ai.optimization.pruning.graph import Shape, attribute
from edge_ai.optimization.pruning.slots import Axes, Axis


def same(analysis: Analysis, node: Any) -> None:
    """The output has the channels of the first input; other inputs are single numbers."""
    analysis.axes[node.output[0]] = analysis.of(node.input[0])
    for name in (*node.input[1:], *node.output[1:]):  # output[1]: the mask of a Dropout
        if name and analysis.shape(name):
            analysis.opaque(node)
            return


def combined(analysis: Analysis, node: Any) -> None:
    """Add and the like, with broadcasting."""
    shapes = [analysis.shape(name) for name in node.input]
    axes = [analysis.of(name) for name in node.input]
    analysis.axes[node.output[0]] = broadcast(analysis, analysis.shape(node.output[0]), shapes, axes)


def broadcast(analysis: Analysis, out: Shape, shapes: Sequence[Shape], axes: Sequence[Axes]) -> Axes:
    """Axes aligned from the right; those of length 1 are stretched and have no part in it."""
    result: list[Axis] = []
    for place in range(-len(out), 0):
        joined = [
            mine[place]
            for shape, mine in zip(shapes, axes, strict=True)
            if len(shape) >= -place and shape[place] == out[place] != 1
        ]
        result.append(analysis.slots.join(*joined))
    return tuple(result)


def pooling(analysis: Analysis, node: Any) -> None:
    """Channels pass, sides of the image do not."""
    x = analysis.of(node.input[0])
    if len(node.output) > 1:
        analysis.opaque(node)
        return
    analysis.slots.pin(*x[2:])
    analysis.axes[node.output[0]] = (*x[:2], *(None for _ in x[2:]))


def along_axis(analysis: Analysis, node: Any) -> None:
    """Softmax, layer normalisation and the like: what is normalised together stays; the rest passes."""
    x = analysis.of(node.input[0])
    if len(node.output) > 1:
        analysis.opaque(node)
        return
    old_softmax = node.op_type in ("Softmax", "LogSoftmax") and analysis.graph.opset < 13
    first = attribute(node, "axis", 1 if old_softmax else -1) % len(x)
    last = len(x) if old_softmax or node.op_type == "LayerNormalization" else first + 1
    analysis.slots.pin(*x[first:last])
    for name in node.input[1:]:
        if name:
            analysis.pin(name)
    analysis.axes[node.output[0]] = tuple(None if first <= i < last else axis for i, axis in enumerate(x))


def reduction(analysis: Analysis, node: Any) -> None:
    """ReduceMean and the like: what is reduced stays; the rest passes."""
    x = analysis.of(node.input[0])
    axes = analysis.graph.parameter(node, "axes", 1)
    if axes is None:
        analysis.opaque(node)
        return
    gone = {axis % len(x) for axis in axes}
    analysis.slots.pin(*(x[axis] for axis in gone))
    kept = bool(attribute(node, "keepdims", 1))
    out = [None if i in gone else axis for i, axis in enumerate(x) if kept or i not in gone]
    analysis.axes[node.output[0]] = tuple(out)


def pad(analysis: Analysis, node: Any) -> None:
    """An axis that grows stays; the others pass."""
    x = analysis.of(node.input[0])
    pads = analysis.graph.parameter(node, "pads", 1)
    axes = analysis.graph.parameter(node, "axes", 3) or list(range(len(x)))
    if pads is None or analysis.graph.is_computed(node, 3):
        analysis.opaque(node)
        return
    half = len(pads) // 2
    grown = {axis % len(x) for axis, a, b in zip(axes, pads[:half], pads[half:], strict=True) if a or b}
    analysis.slots.pin(*(x[axis] for axis in grown))
    analysis.axes[node.output[0]] = tuple(None if i in grown else axis for i, axis in enumerate(x))
