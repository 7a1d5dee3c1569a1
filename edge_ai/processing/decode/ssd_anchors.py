"""Default boxes of a single-shot detector.

Liu et al., "SSD" (2016), section 2.2, with the two changes that TensorFlow's detection models have: three boxes on the
lowest map, and the extra square one last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_ai.core.types import FloatArray


def ssd_anchors(
    feature_maps: Sequence[int],
    *,
    min_scale: float,
    max_scale: float,
    aspect_ratios: Sequence[float],
    reduce_lowest: bool,
) -> FloatArray:
    """All anchors: maps from fine to coarse, each row by row, all boxes of a cell together.

    Args:
        feature_maps: cells along each side of every (square) map.
        min_scale: side of the square box on the first map, in parts of the input.
        max_scale: the same on the last map.
        aspect_ratios: width / height of the boxes; one more square box of a larger scale joins them.
        reduce_lowest: three boxes on the first map: a square of scale 0.1, ratios 2 and 0.5.

    Returns:
        (N, 4) float32: centre x, centre y, width, height in parts of the input.
    """
    steps = max(len(feature_maps) - 1, 1)
    scales = [min_scale + (max_scale - min_scale) * i / steps for i in range(len(feature_maps))] + [1.0]
    maps = []
    for i, cells in enumerate(feature_maps):
        if i == 0 and reduce_lowest:
            shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        else:
            shapes = [(scales[i], ratio) for ratio in aspect_ratios]
            shapes.append((math.sqrt(scales[i] * scales[i + 1]), 1.0))
        sizes = np.array([(scale * math.sqrt(ratio), scale / math.sqrt(ratio)) for scale, ratio in shapes])
        y, x = np.mgrid[:cells, :cells].reshape(2, -1)
        centers = (np.stack([x, y], axis=1) + 0.5) / cells
        maps.append(np.concatenate([np.repeat(centers, len(sizes), axis=0), np.tile(sizes, (len(centers), 1))], axis=1))
    return np.asarray(np.concatenate(maps), np.float32)
