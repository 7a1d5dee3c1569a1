"""What a robot's camera sees: image size, priority, and how sure a model is of it."""

from __future__ import annotations

import math
import random

import numpy as np

from edge_ai.core.types import Detections, FrameHeader
from edge_ai.fleet.params import FleetParams

SMALL, LARGE = (640, 480), (2560, 1440)
_SETTLE = 5.0
"""Time constant of how sure a model is, s."""
_MEAN, _SPREAD = 1.0, 0.8
"""Of the logit of its best score: half of the scores are above 0.73, four of ten above 0.78."""
_PIXELS = np.zeros((1, 1, 3), np.uint8)
_STEPS = 200
_DETECTIONS = tuple(
    Detections(np.zeros((1, 4), np.float32), np.full(1, step / _STEPS, np.float32), np.zeros(1, np.int32))
    for step in range(_STEPS + 1)
)


class Scene:
    """Best scores wander: their logit goes back to its mean with a time constant (Ornstein-Uhlenbeck).

    Attributes:
        size: pixels as a multiple of those of a 640x480 image.
        urgent: whether the robot's frames have high priority.
    """

    def __init__(self, params: FleetParams, rng: random.Random) -> None:
        self._rng = rng
        self.width, self.height = LARGE if rng.random() < params.large else SMALL
        self.urgent = rng.random() < params.urgent
        self.size = self.width * self.height / (SMALL[0] * SMALL[1])
        self.pixels = _PIXELS
        self._logit = rng.gauss(_MEAN, _SPREAD)
        self._keep = math.exp(-1 / params.simulated_rate / _SETTLE)

    def step(self) -> None:
        """On to the next frame."""
        change = _SPREAD * math.sqrt(1 - self._keep * self._keep)
        self._logit = _MEAN + (self._logit - _MEAN) * self._keep + self._rng.gauss(0, change)

    @property
    def confidence(self) -> float:
        """Best score a model finds, 0 to 1."""
        return 1 / (1 + math.exp(-self._logit))

    @property
    def detections(self) -> Detections:
        """What a model finds."""
        return _DETECTIONS[round(self.confidence * _STEPS)]

    def header(self, index: int, now_ns: int) -> FrameHeader:
        """Of a frame captured now."""
        return FrameHeader(now_ns, now_ns, "", index, self.width, self.height)
