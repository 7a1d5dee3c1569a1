"""How much each channel matters, by the weights that make it and those that read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.optimization.pruning.analysis import Analysis
from edge_ai.optimization.pruning.slots import STAYS


class ByWeights:
    """Ranks by the mean, over all weights that a channel has a part in, of the length of that part.

    The length is the L1 or L2 norm of the part of the weight, as Li et al., "Pruning Filters for Efficient ConvNets"
    (2017), take it of filters. Taking all layers of a set, each divided by the mean of its channels so that layers of
    different scale count alike, is the group importance of Fang et al., "DepGraph" (2023).

    Args:
        analysis: of the graph.
        power: 1 or 2.
    """

    def __init__(self, analysis: Analysis, power: int = 2) -> None:
        found: dict[int, list[float]] = {}
        for layer in analysis.layers:
            weight = analysis.graph.value(layer.weight)
            for place, axis in enumerate(analysis.of(layer.weight)):
                if axis is None or weight is None:
                    continue
                parts = np.abs(np.moveaxis(weight, place, 0).astype(np.float64)).reshape(len(axis), -1)
                sums = (parts**power).sum(axis=1)
                for root, score in _lengths(analysis.slots.roots(axis), sums, power).items():
                    found.setdefault(root, []).append(score)
        self._scores = {root: float(np.mean(scores)) for root, scores in found.items()}

    def costs(self, members: Collection[int]) -> Mapping[int, float]:
        """The importance of each; 1 is that of an average channel."""
        return {root: self._scores[root] for root in members if root in self._scores}

    def remove(self, member: int) -> None:
        """Others matter as before."""


def _lengths(roots: NDArray[Any], sums: NDArray[Any], power: int) -> dict[int, float]:
    """The length for each set, in parts of the mean over all channels of the axis, those that stay included."""
    names, numbers = np.unique(roots, return_inverse=True)
    numbers = numbers.reshape(-1)  # NumPy 2.0 gives it the shape of `roots`
    mean = float((sums ** (1 / power)).mean()) or 1.0
    lengths = (np.bincount(numbers, sums) / np.bincount(numbers)) ** (1 / power) / mean
    return {int(name): float(score) for name, score in zip(names, lengths, strict=True) if name != STAYS}
