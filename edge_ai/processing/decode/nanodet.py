"""NanoDet and NanoDet-Plus: distances to the four sides as distributions (generalised focal loss).

Li et al., "Generalized Focal Loss" (2020), equation 5: a distance is the mean of its softmax over 0..reg_max,
in strides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawDetections, Target
from edge_ai.processing.decode.common import Activation, Strides, activated, before, cells, select, softmax


class NanoDetOptions(DecoderOptions):
    """Options of `NanoDet`."""

    family: Literal["nanodet"] = Field(description="`nanodet`")
    reg_max: int = Field(ge=1, le=64, description="greatest distance, in strides; a side has reg_max + 1 bins")
    strides: Strides = Field(description="pixels a cell of each map, in the order of the outputs")
    center_offset: float = Field(0.5, ge=0, le=1, description="cell centre in cells: 0.5 NanoDet, 0 NanoDet-Plus")
    activation: Activation = Field("none", description="what turns scores into probabilities; `none`: they are")


class NanoDet(Decoder[NanoDetOptions, RawDetections]):
    """Reads scores [1, N, C] and distances [1, N, 4 * (reg_max + 1)], or predictions, both side by side.

    Distances go left, top, right, bottom.
    """

    OPTIONS = NanoDetOptions
    ROLES = (("scores", "distances"), ("predictions",))

    def __init__(self, options: NanoDetOptions, names: Mapping[str, str], target: Target) -> None:
        super().__init__(options, names, target)
        self._points, self._strides = cells(target.size, options.strides, options.center_offset)
        self._bins = np.arange(options.reg_max + 1, dtype=np.float32)

    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
        scores, distances = self._split(tensors)
        activation = self.options.activation
        rows, best, class_ids = select(scores, before(activation, self.target.threshold))
        sides = softmax(distances[rows].reshape(-1, 4, len(self._bins))) @ self._bins * self._strides[rows]
        points = self._points[rows]
        boxes = np.concatenate([points - sides[:, :2], points + sides[:, 2:]], axis=1)
        return RawDetections(boxes, activated(best, activation), class_ids)

    def _split(self, tensors: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        cells, classes, width = len(self._points), self.target.classes, 4 * len(self._bins)
        if "predictions" in tensors:
            both = tensors["predictions"]
            self.expect("predictions", both, 1, cells, classes + width)
            return np.ascontiguousarray(both[0, :, :classes]), both[0, :, classes:]
        self.expect("scores", tensors["scores"], 1, cells, classes)
        self.expect("distances", tensors["distances"], 1, cells, width)
        return tensors["scores"][0], tensors["distances"][0]
