"""Which channels can be made up for best by those that stay, on real inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import EdgeAIError
from edge_ai.optimization.progress import Feeds, Progress
from edge_ai.optimization.pruning.analysis import Analysis, Layer
from edge_ai.optimization.pruning.choice import Ranking
from edge_ai.optimization.pruning.observed import tensors
from edge_ai.optimization.pruning.slots import STAYS, IntArray

Floats = NDArray[np.float64]
_GONE = 1e-30


class Reader:
    """A layer that reads channels: what it loses when one goes and the others make up for it as well as they can.

    This is the optimal brain surgeon (Hassibi and Stork, 1993) for whole input channels: with weights W and inputs of
    covariance G, taking channel c away costs |W_c|^2 / (G^-1)_cc of the output's variance once W is corrected. All
    taps of a kernel are taken to see inputs of one covariance.

    Args:
        axis: the set of each input channel.
        weight: [anything, channels].
        covariance: [channels, channels].
    """

    def __init__(self, axis: IntArray, weight: Floats, covariance: Floats) -> None:
        ridge = 1e-3 * np.trace(covariance) / len(axis) + 1e-12
        self._weight = weight.copy()
        self._inverse = np.linalg.inv(covariance + ridge * np.eye(len(axis)))
        self._variance = float(((weight @ covariance) * weight).sum()) + 1e-12
        self._costs: dict[int, float] = {}
        self._places: dict[int, list[int]] = {}
        for place, root in enumerate(axis.tolist()):
            if root != STAYS:
                self._places.setdefault(root, []).append(place)

    def costs(self) -> dict[int, float]:
        """The part of its output's variance that is lost with each set that is still there."""
        if not self._costs:
            single = (self._weight**2).sum(axis=0) / np.diag(self._inverse) / self._variance
            self._costs = {root: float(single[places].sum()) for root, places in self._places.items()}
        return self._costs

    def remove(self, root: int) -> None:
        """Take a set away, if it is read here, and let the other channels make up for it."""
        if root in self._places:
            self._costs = {}
        for place in self._places.pop(root, ()):
            row = self._inverse[place] / self._inverse[place, place]
            self._weight -= np.outer(self._weight[:, place], row)
            self._inverse -= np.outer(self._inverse[:, place], row)
            self._weight[:, place] = self._inverse[place] = self._inverse[:, place] = 0.0
            self._inverse[place, place] = _GONE


class ByInputs:
    """Ranks by what all readers of a channel lose, on real inputs.

    Args:
        analysis: of the graph.
        model: the model before anything is removed.
        feeds: what it is run on.
        otherwise: ranks groups that no layer reads.
        progress: told of each picture.

    Raises:
        ModelError: the model does not run on the inputs.
        EdgeAIError: there are none.
    """

    def __init__(self, analysis: Analysis, model: Any, feeds: Feeds, otherwise: Ranking, progress: Progress) -> None:
        self._otherwise = otherwise
        chosen = [layer for layer in analysis.layers if layer.in_axis is not None and layer.groups == 1]
        covariances = _covariances(chosen, model, feeds, progress)
        self._readers = []
        for layer in chosen:
            weight, covariance = analysis.graph.value(layer.weight), covariances.get(layer.node.input[0])
            axis = analysis.of(layer.weight)[layer.in_axis or 0]
            if axis is not None and weight is not None and covariance is not None:
                flat = np.moveaxis(weight, layer.in_axis or 0, -1).reshape(-1, len(axis)).astype(np.float64)
                self._readers.append(Reader(analysis.slots.roots(axis), flat, covariance))

    def costs(self, members: Collection[int]) -> Mapping[int, float]:
        """The sum over all readers; where none reads any of them, what the other ranking says."""
        found: dict[int, float] = {}
        for reader in self._readers:
            for root, cost in reader.costs().items():
                if root in members:
                    found[root] = found.get(root, 0.0) + cost
        return found or self._otherwise.costs(members)

    def remove(self, member: int) -> None:
        """Every reader makes up for it."""
        for reader in self._readers:
            reader.remove(member)


def _covariances(layers: list[Layer], model: Any, feeds: Feeds, progress: Progress) -> dict[str, Floats]:
    """Of the channels of what each layer reads."""
    axis_of = {layer.node.input[0]: layer.channel_axis for layer in layers}
    counts = dict.fromkeys(axis_of, 0)
    sums: dict[str, Any] = dict.fromkeys(axis_of, 0.0)
    squares: dict[str, Any] = dict.fromkeys(axis_of, 0.0)
    for number, found in enumerate(tensors(model, list(axis_of), feeds)):
        progress("looking at channels", number, 0)
        for name, array in found.items():
            rows = np.moveaxis(array, axis_of[name], -1).reshape(-1, array.shape[axis_of[name]])
            counts[name] += len(rows)
            sums[name] = sums[name] + rows.sum(axis=0, dtype=np.float64)
            squares[name] = squares[name] + (rows.T @ rows).astype(np.float64)
    if not any(counts.values()):
        raise EdgeAIError("pruning", got="no pictures", wanted="some dozens like those the model will see")
    means = {name: sums[name] / count for name, count in counts.items() if count}
    return {name: squares[name] / counts[name] - np.outer(mean, mean) for name, mean in means.items()}
