"""What one inference of a model asks of a computer: operations and bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from edge_ai.core.errors import ParameterError

ACTIVATIONS_PER_ROOT = 0.34
"""Activations are about this times sqrt(FLOPs x pixels): of nets of one shape, the width w makes FLOPs grow with w^2
and activations with w. 0.25 to 0.47 among the models of speeds.yaml."""

OPERATORS = 90
"""Convolutions and matrix products of a detector; 63 to 177 among the models of speeds.yaml."""

WEIGHTS_PER_FLOP = 0.34e-3 * 640 * 640
"""Weights x pixels / FLOPs; 0.29 to 0.44 million weights per GFLOP at 640 x 640 among the models of speeds.yaml."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One inference of one image.

    Attributes:
        name: of the model.
        gflops: 10^9 operations, a multiply-accumulate counting 2.
        weights: number of parameters.
        activations: numbers written by convolutions and matrix products; element-wise layers are fused into those.
        operators: convolutions and matrix products, about the number of kernels that an engine starts.
        size: (width, height) of the model's input in pixels, for which the above holds.
        estimated: which of them are guessed from the FLOPs.
    """

    name: str
    gflops: float
    weights: float
    activations: float
    operators: float
    size: tuple[int, int]
    estimated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [n for n in ("gflops", "weights", "activations", "operators") if not 0 < getattr(self, n) < math.inf]
        if wrong or min(self.size) < 1:
            got = ", ".join(f"{n} = {getattr(self, n)}" for n in (*wrong, "size"))
            raise ParameterError(f"workload '{self.name}'", got=got, wanted="finite numbers above 0")

    def at(self, size: tuple[int, int]) -> Workload:
        """The same model at another input size: operations and activations grow with the pixels, weights do not.

        Exact for convolutions; attention grows faster, but is a small part of a detector.
        """
        ratio = size[0] * size[1] / (self.size[0] * self.size[1])
        return replace(self, gflops=self.gflops * ratio, activations=self.activations * ratio, size=size)


def from_gflops(gflops: float, size: tuple[int, int], weights: float | None = None, name: str = "") -> Workload:
    """A model of which little more is known than its operations.

    Args:
        gflops: 10^9 operations (2 x multiply-accumulate) of an inference at that size.
        size: (width, height) in pixels.
        weights: number of parameters, if known.
        name: for reports.

    Raises:
        ParameterError: a number is not above 0.
    """
    pixels = max(size[0] * size[1], 1)
    guessed = (*(("weights",) if weights is None else ()), "activations", "operators")
    return Workload(
        name or f"{gflops:g} GFLOPs",
        gflops,
        WEIGHTS_PER_FLOP * gflops * 1e9 / pixels if weights is None else weights,
        ACTIVATIONS_PER_ROOT * math.sqrt(max(gflops, 0) * 1e9 * pixels),
        OPERATORS,
        size,
        guessed,
    )
