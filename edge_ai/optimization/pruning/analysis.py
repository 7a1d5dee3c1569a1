"""Which channels of a graph belong together, and what has to be rewritten when some of them go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization.pruning.graph import Graph, Shape, captured, title
from edge_ai.optimization.pruning.slots import STAYS, Axes, Axis, IntArray, Slots


@dataclass(frozen=True, slots=True)
class Layer:
    """An operator with a weight of its own.

    Attributes:
        node: the operator.
        weight: the name of the constant.
        out_axis: the weight's axis whose indices make output channels.
        in_axis: the one that meets input channels; None: each channel for itself (depthwise).
        channel_axis: where channels lie in its input and output: 1 in images, else -1.
        groups: 1 where every output channel reads every input channel.
    """

    node: Any
    weight: str
    out_axis: int
    in_axis: int | None
    channel_axis: int
    groups: int

    @property
    def name(self) -> str:
        return title(self.node)


class Left:
    """What is left along each axis once some channels are removed."""

    def __init__(self, slots: Slots, removed: Collection[int]) -> None:
        self._slots, self._removed = slots, np.array(sorted(removed), np.int64)

    def mask(self, axis: IntArray) -> NDArray[np.bool_]:
        """True for each index that stays."""
        return ~np.isin(self._slots.roots(axis), self._removed)

    def count(self, axis: IntArray) -> int:
        """How many indices stay."""
        return int(self.mask(axis).sum())


Mend = Callable[[Left], None]
Rule = Callable[["Analysis", Any], None]


class Analysis:
    """Follows every channel through a graph.

    Each axis of each tensor gets a slot for each of its indices. What an operator's rule in `rules` says belongs
    together is joined; what no rule can follow stays.

    Attributes:
        layers: the operators with weights, in order.
        axes: the slots of every tensor that was reached.

    Args:
        graph: it is rewritten by `remove`.
        rules: how to follow channels, by operator.
        keep: names of layers that are left alone.

    Raises:
        EdgeAIError: a name in `keep` is none of a layer.
    """

    def __init__(self, graph: Graph, rules: Mapping[str, Rule], keep: Collection[str] = ()) -> None:
        self.graph, self.slots = graph, Slots()
        self.axes: dict[str, Axes] = {}
        self.layers: list[Layer] = []
        self._mends: list[Mend] = []
        for name in graph.inputs:
            self.axes[name] = (None,) * len(graph.shapes.get(name, ()))
        for node in graph.nodes:
            self._visit(node, rules)
        for name in graph.outputs:
            self.pin(name)
        self._keep(keep)

    def of(self, name: str) -> Axes:
        """The slots of a tensor; a constant gets its own when it is first asked for."""
        if name not in self.axes:
            self.axes[name] = tuple(self.slots.new(count) for count in self.shape(name))
        return self.axes[name]

    def shape(self, name: str) -> Shape:
        """The shape of a tensor, an open batch being 1."""
        return self.graph.shapes[name]

    def pin(self, name: str) -> None:
        """Nothing of a tensor is removed."""
        if name in self.graph.shapes or name in self.axes:
            self.slots.pin(*self.of(name))

    def opaque(self, node: Any) -> None:
        """The operator cannot be followed: all that it reads and writes stays."""
        for name in (*node.input, *captured(node)):
            self.pin(name)
        for name in node.output:
            self.axes[name] = (None,) * len(self.graph.shapes.get(name, ()))

    def mend(self, how: Mend) -> None:
        """Something to rewrite when channels are removed."""
        self._mends.append(how)

    def axes_in_use(self) -> list[IntArray]:
        """Every different axis of which something may go, with one slot for all that belong together."""
        found: dict[bytes, IntArray] = {}
        for axes in self.axes.values():
            for axis in axes:
                if axis is not None:
                    roots = self.slots.roots(axis)
                    found[roots.tobytes()] = roots
        return [roots for roots in found.values() if (roots != STAYS).any()]

    def remove(self, removed: Collection[int]) -> None:
        """Take channels out of the graph: constants are cut, parameters of operators adapted, shapes forgotten.

        Args:
            removed: of each set that goes, the slot that `Slots.roots` gives.
        """
        left = Left(self.slots, removed)
        for mend in self._mends:
            mend(left)
        for name in self.graph.constants:
            value = self.graph.value(name)
            cut = value
            for number, axis in enumerate(self.axes.get(name, ())):
                if axis is not None and cut is not None:
                    cut = np.compress(left.mask(axis), cut, axis=number)
            if cut is not None and value is not None and cut.shape != value.shape:
                self.graph.set_value(name, cut)
        self.graph.drop_unused()
        self.graph.model.graph.ClearField("value_info")

    def _visit(self, node: Any, rules: Mapping[str, Rule]) -> None:
        rule = rules.get(node.op_type) if node.domain in ("", "ai.onnx") else None
        names = [name for name in (*node.input, *node.output) if name]
        if rule is None or any(name not in self.graph.shapes for name in names):
            self.opaque(node)
            return
        rule(self, node)
        for name in node.output:
            if name and name not in self.axes:
                self.opaque(node)

    def _keep(self, keep: Collection[str]) -> None:
        layers = {layer.name: layer for layer in self.layers}
        for name in keep:
            if name not in layers:
                known = ", ".join(layers)
                raise EdgeAIError("a layer to keep", got=f"'{name}'", wanted=f"one of the layers: {known}")
            self.pin(layers[name].weight)


def channels(axis: Axis, count: int) -> IntArray:
    """An axis as slots even where all of it stays."""
    return np.full(count, STAYS, np.int64) if axis is None else axis
