"""From maps of scores over a model's input to the class of each pixel of the source image."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import FloatArray, Image
from edge_ai.processing.decode.raw import RawMap
from edge_ai.processing.resize import Placement


def to_mask(raw: RawMap, placement: Placement, size: tuple[int, int], classes: Collection[int] | None = None) -> Image:
    """The class of every pixel: that of the best score, the scores interpolated bilinearly between the cells' centres.

    The border of a letterbox has no say. Ties go to the lower class.

    Args:
        raw: the scores.
        placement: where the image lies in the model's input.
        size: (width, height) of that input in pixels.
        classes: class numbers wanted; pixels of others are of class 0. None for all.

    Returns:
        (H, W) uint8, as large as the source image.
    """
    rows, columns, matrix = _inside(raw.scores.shape[1:], placement, size)
    source = (placement.width, placement.height)
    mask: Image = np.zeros(source[::-1], np.uint8)
    best: FloatArray | None = None
    for scores, number in zip(raw.scores[:, rows, columns], raw.class_ids.tolist(), strict=True):
        large = _enlarged(scores, matrix, source)
        better = large >= raw.floor if best is None else (large > best) & (large >= raw.floor)
        mask[better] = number if classes is None or number in classes else 0
        best = large if best is None else np.maximum(best, large, out=best)
    return mask


def _enlarged(scores: FloatArray, matrix: NDArray[np.float64], size: tuple[int, int]) -> FloatArray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(scores, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _inside(
    shape: tuple[int, ...], placement: Placement, size: tuple[int, int]
) -> tuple[slice, slice, NDArray[np.float64]]:
    """The rows and columns of a map that hold the picture, and the affine map from source pixels to these cells."""
    spans, matrix = [], np.zeros((2, 3))
    axes = (
        (shape[1], size[0], placement.scale_x, placement.offset_x, placement.width),
        (shape[0], size[1], placement.scale_y, placement.offset_y, placement.height),
    )
    for axis, (cells, pixels, scale, offset, length) in enumerate(axes):
        share = cells / pixels
        first, last = offset * share, (offset + length * scale) * share
        start = int(np.floor(first + 1e-6))
        spans.append(slice(start, max(int(np.ceil(last - 1e-6)), start + 1)))
        # Centres lie half a pixel, and half a cell, from where a pixel and a cell begin.
        matrix[axis, axis] = scale * share
        matrix[axis, 2] = (0.5 * scale + offset) * share - 0.5 - start
    return spans[1], spans[0], matrix
