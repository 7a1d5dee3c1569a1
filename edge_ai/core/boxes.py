"""How far boxes overlap; a box is x_min, y_min, x_max, y_max in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def ious(ours: NDArray[np.floating[Any]], theirs: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Intersection over union of each of (N, 4) boxes with each of (M, 4): (N, M)."""
    one, other = ours[:, np.newaxis].astype(np.float64), theirs[np.newaxis].astype(np.float64)
    sides = np.clip(np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2]), 0, None)
    common = sides.prod(axis=2)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=2) for boxes in (one, other)]
    found: NDArray[np.float64] = common / np.maximum(areas[0] + areas[1] - common, 1e-9)
    return found
