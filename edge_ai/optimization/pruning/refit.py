"""New weights for what is left, so that a pruned model computes what the original did on real inputs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.optimization.progress import Feeds, Progress
from edge_ai.optimization.pruning.analysis import Layer
from edge_ai.optimization.pruning.graph import Array, Graph, attribute
from edge_ai.optimization.pruning.observed import Places, tensors

RIDGE = 0.05
"""How much a weight is held where it was, in parts of the mean square of its inputs.

Of 0.001 to 0.2 the one that served the shipped detector best; between 0.05 and 0.2 it hardly matters."""

Mask = NDArray[np.bool_]


class Refit:
    """Fits layers one after the other by least squares: each to the original's output at the same place, from what
    the pruned model, fitted so far, gives it to read (He et al., "Channel Pruning", 2017; here with all layers and a
    ridge towards the weights that were there). Biases take up the means of what is gone.

    Args:
        layers: those of the original.
        original: the model before anything was removed.
        graph: of the pruned model, in which layers and their outputs have the names they had.
        kept: which output channels are left, by layer; None: all.

    Raises:
        ModelError: a model does not run on the inputs.
    """

    def __init__(self, layers: list[Layer], original: Any, graph: Graph, kept: dict[str, Mask | None]) -> None:
        self._original, self._graph, self._kept = original, graph, kept
        uses = Counter(name for node in graph.nodes for name in node.input)
        self._layers = [layer for layer in layers if _can_be_fitted(layer, graph) and uses[layer.weight] == 1]

    def run(self, feeds: Feeds, progress: Progress) -> tuple[int, int]:
        """Fit every layer that can be; how many there were, and on how many inputs."""
        pictures = sum(1 for _ in feeds())
        places = {layer.name: Places(layer, self._kernel(layer), pictures) for layer in self._layers}
        wanted, sides = self._targets(places, feeds, progress)
        for number, layer in enumerate(self._layers):
            progress("fitting layers", number, len(self._layers))
            name = layer.node.input[0]
            read = [
                places[layer.name].inputs(found[name], sides[layer.name], picture)
                for picture, found in enumerate(tensors(self._graph.model, [name], feeds))
            ]
            self._fit(layer, np.concatenate(read), np.concatenate(wanted.pop(layer.name)))
        return len(self._layers), pictures

    def _targets(
        self, places: dict[str, Places], feeds: Feeds, progress: Progress
    ) -> tuple[dict[str, list[Array]], dict[str, tuple[int, ...]]]:
        """What the original gives at the places, and the sides of its outputs."""
        wanted: dict[str, list[Array]] = {layer.name: [] for layer in self._layers}
        sides: dict[str, tuple[int, ...]] = {}
        names = [layer.node.output[0] for layer in self._layers]
        for picture, found in enumerate(tensors(self._original, names, feeds)):
            progress("asking the original", picture, 0)
            for layer in self._layers:
                whole = found[layer.node.output[0]]
                rows, mask = places[layer.name].outputs(whole, picture), self._kept[layer.name]
                wanted[layer.name].append(rows if mask is None else rows[:, mask])
                sides[layer.name] = whole.shape[2:]
        return wanted, sides

    def _fit(self, layer: Layer, read: Array, wanted: Array) -> None:
        weight = self._graph.value(layer.weight)
        if weight is None:
            return
        matrix = np.moveaxis(weight, layer.out_axis, 0).reshape(weight.shape[layer.out_axis], -1).astype(np.float64)
        with_bias = layer.node.op_type != "MatMul"
        bias = self._bias(layer, len(matrix))
        rest = wanted - (read.astype(np.float64) @ matrix.T + bias)
        means = (read.mean(axis=0, dtype=np.float64), rest.mean(axis=0)) if with_bias else (0.0, 0.0)
        centred, rest = (read - means[0]).astype(np.float32), rest - means[1]
        square = (centred.T @ centred).astype(np.float64) / len(read)
        square[np.diag_indices(len(square))] += RIDGE * np.trace(square) / len(square) + 1e-12
        change = np.linalg.solve(square, centred.T.astype(np.float64) @ rest / len(read)).T
        fitted = np.moveaxis((matrix + change).reshape(_leading(weight, layer.out_axis)), 0, layer.out_axis)
        self._graph.set_value(layer.weight, fitted.astype(weight.dtype))
        if with_bias:
            fresh = (bias + means[1] - change @ means[0]).astype(weight.dtype)
            if len(layer.node.input) > 2 and layer.node.input[2]:
                self._graph.set_value(layer.node.input[2], fresh)
            else:
                self._graph.set_input(layer.node, 2, fresh)

    def _bias(self, layer: Layer, count: int) -> Array:
        given = layer.node.op_type != "MatMul" and len(layer.node.input) > 2 and layer.node.input[2]
        value = self._graph.value(layer.node.input[2]) if given else None
        return np.zeros(count) if value is None else value.astype(np.float64)

    def _kernel(self, layer: Layer) -> tuple[int, ...]:
        weight = self._graph.value(layer.weight)
        return () if layer.channel_axis != 1 or weight is None else weight.shape[2:]


def _leading(weight: Array, axis: int) -> tuple[int, ...]:
    """The shape of a weight with one axis before the others."""
    return (weight.shape[axis], *(side for place, side in enumerate(weight.shape) if place != axis))


def _can_be_fitted(layer: Layer, graph: Graph) -> bool:
    """Whether a layer's output is its weight times what it reads, plus a bias for each channel."""
    node = layer.node
    if layer.groups != 1 or node.op_type == "ConvTranspose":
        return False
    if node.op_type == "Gemm" and (attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0)) != (1.0, 1.0):
        return False
    if node.op_type == "MatMul" or len(node.input) < 3 or not node.input[2]:
        return True
    bias, weight = graph.value(node.input[2]), graph.value(layer.weight)
    return bias is not None and weight is not None and bias.shape == (weight.shape[layer.out_axis],)
