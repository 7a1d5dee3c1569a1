"""Setting weights to zero; the graph stays as it is."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_ai.core.errors import EdgeAIError, ModelError
from edge_ai.optimization.progress import LayerChange, Progress
from edge_ai.optimization.pruning.graph import Array, Graph, attribute, title


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of a layer.

    Attributes:
        node: the operator.
        name: of the constant.
        in_axis: its axis that meets input channels.
    """

    node: Any
    name: str
    in_axis: int


def set_to_zero(
    model: Any, method: str, amount: float, keep: Collection[str], progress: Progress
) -> tuple[Any, tuple[str, ...], tuple[LayerChange, ...]]:
    """A model with zeros among its weights, what to know of it, and what became of its layers.

    Args:
        model: an onnx.ModelProto in floating point; it is changed.
        method: "unstructured": the smallest of each layer; "magnitude": the smallest of all layers together;
            "2:4": see `two_of_four`.
        amount: the part of the weights that becomes zero; "2:4" always takes half.
        keep: names of layers that are left alone.
        progress: told of each layer.

    Raises:
        ModelError: there is no weight that can be set to zero.
        EdgeAIError: a layer to keep is none of the model's.
    """
    graph = Graph(model)
    weights = _weights(graph, keep)
    values = {weight.name: graph.value(weight.name) for weight in weights}
    limit = _limit([v for v in values.values() if v is not None], amount) if method == "magnitude" else 0.0
    changes, skipped = [], []
    for number, weight in enumerate(weights):
        progress("setting weights to zero", number, len(weights))
        value = values[weight.name]
        fresh = None if value is None else _zeroed(value, weight, method, amount, limit)
        if value is None or fresh is None:
            skipped.append(title(weight.node))
            continue
        graph.set_value(weight.name, fresh)
        changes.append(LayerChange(title(weight.node), weight.node.op_type, _zeros(value), _zeros(fresh)))
    if not changes:
        raise ModelError(f"pruning by '{method}'", got="no layer whose weights can be set to zero")
    return graph.model, tuple(_notes(graph, weights, method, skipped)), tuple(changes)


def smallest(weight: Array, amount: float) -> Array:
    """The weight with its smallest numbers, by size, set to zero."""
    count = round(weight.size * amount)
    flat = weight.reshape(-1).copy()
    flat[np.argpartition(np.abs(flat), count - 1)[:count] if count else []] = 0
    return np.asarray(flat.reshape(weight.shape))


def two_of_four(weight: Array, axis: int) -> Array | None:
    """The weight with the two smallest of every four neighbours along an axis set to zero.

    TensorRT takes a layer's sparse kernels with the flag SPARSE_WEIGHTS when, for every output channel and every place
    of the kernel, every four neighbouring input channels have at least two zeros (its developer guide, "Structured
    Sparsity"); of a matrix product it is the axis that is summed over.

    Returns:
        None where the axis is no multiple of four.
    """
    if weight.shape[axis] % 4:
        return None
    moved = np.moveaxis(weight, axis, -1)
    fours = moved.reshape(-1, 4).copy()
    np.put_along_axis(fours, np.argsort(np.abs(fours), axis=1, kind="stable")[:, :2], 0, axis=1)
    return np.ascontiguousarray(np.moveaxis(fours.reshape(moved.shape), -1, axis))


def _weights(graph: Graph, keep: Collection[str]) -> list[Weight]:
    layers = list(_layers(graph))
    known = [title(weight.node) for weight in layers]
    for name in keep:
        if name not in known:
            raise EdgeAIError("a layer to keep", got=f"'{name}'", wanted=f"one of the layers: {', '.join(known)}")
    kept = {weight.name for weight in layers if title(weight.node) in keep}
    unique = {weight.name: weight for weight in reversed(layers) if weight.name not in kept}
    return list(reversed(unique.values()))


def _layers(graph: Graph) -> Iterator[Weight]:
    for node in graph.nodes:
        if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul") or len(node.input) < 2:
            continue
        value = graph.value(node.input[1])
        if value is None or value.ndim < 2 or value.dtype.kind != "f":
            continue
        axis = {"Conv": 1, "ConvTranspose": 0, "MatMul": value.ndim - 2}.get(node.op_type)
        yield Weight(node, node.input[1], int(attribute(node, "transB", 0)) if axis is None else axis)


def _zeroed(value: Array, weight: Weight, method: str, amount: float, limit: float) -> Array | None:
    if method == "2:4":
        return two_of_four(value, weight.in_axis)
    if method == "unstructured":
        return smallest(value, amount)
    return np.where(np.abs(value) <= limit, np.zeros((), value.dtype), value)


def _limit(values: list[Array], amount: float) -> float:
    """The size up to which all numbers become zero."""
    sizes = (
        np.abs(np.concatenate([value.reshape(-1).astype(np.float32) for value in values])) if values else np.zeros(1)
    )
    count = round(sizes.size * amount)
    return float(np.partition(sizes, count - 1)[count - 1]) if count else -1.0


def _zeros(value: Array) -> str:
    return f"{np.mean(value == 0):.0%} zeros"


def _notes(graph: Graph, weights: list[Weight], method: str, skipped: list[str]) -> Iterator[str]:
    values = [value for weight in weights if (value := graph.value(weight.name)) is not None]
    zeros = sum(int((value == 0).sum()) for value in values) / sum(value.size for value in values)
    content = graph.model.SerializeToString()
    packed = len(zlib.compress(content, 6))
    yield (
        f"{zeros:.0%} of the weights are zero. The file is as large as before ({len(content)} bytes) and shrinks only"
        f" when it is compressed ({packed} bytes). ONNX Runtime multiplies by zero like by any other number: on a CPU"
        " nothing gets faster."
    )
    if method == "2:4":
        yield (
            "Two of every four neighbouring input channels are zero at each place of each kernel. TensorRT uses that on"
            " GPUs from Ampere on when an engine is built with SPARSE_WEIGHTS, and where it finds it faster."
        )
        if skipped:
            yield f"Input channels that are no multiple of four: left alone are {', '.join(skipped)}."
