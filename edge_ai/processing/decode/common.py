"""The small steps that several decoders share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edge_ai.core.types import FloatArray, IntArray
from edge_ai.processing.card_part import FROM_LIST

Rows = NDArray[np.intp]
Activation = Literal["none", "sigmoid"]
AnyActivation = Literal["none", "sigmoid", "softmax"]
Background = Literal["none", "first", "last"]
Layout = Literal["nchw", "nhwc"]
Strides = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), FROM_LIST]


def select(scores: FloatArray, threshold: float, axis: int = 1) -> tuple[Rows, FloatArray, IntArray]:
    """The candidates whose best class reaches a threshold.

    Each candidate keeps its best class only.

    Args:
        scores: (N, C), or (C, N) with ``axis`` 0.
        threshold: least score.
        axis: the axis of the classes.

    Returns:
        Indices of the M candidates in ascending order, their (M,) scores and their (M,) class numbers.
    """
    hits = np.flatnonzero(np.ravel(scores >= threshold))
    classes = scores.shape[1]
    rows = np.unique(hits // classes if axis == 1 else hits % classes)
    chosen = scores[rows] if axis == 1 else scores[:, rows].T
    ids = chosen.argmax(axis=1)
    return rows, chosen[np.arange(len(rows)), ids], ids.astype(np.int32)


def select_objects(
    values: FloatArray, threshold: float, activation: AnyActivation, background: Background
) -> tuple[Rows, FloatArray, IntArray]:
    """`select` for raw values with any activation, a background class among them.

    Args:
        values: (N, C and the background) as the model gives them.
        threshold: least probability.
        activation: what makes probabilities of them.
        background: which of them is no label.

    Returns:
        As `select`, the scores being probabilities.
    """
    if activation != "softmax":
        rows, best, class_ids = select(labelled(values, background), before(activation, threshold))
        return rows, activated(best, activation), class_ids
    # A probability of at least t is a value of at least max + log(t): most rows need no exponentials.
    least = values.max(axis=1) + (math.log(threshold) if threshold > 0 else -math.inf)
    likely = np.flatnonzero(labelled(values, background).max(axis=1) >= least)
    rows, scores, class_ids = select(labelled(softmax(values[likely]), background), threshold)
    return likely[rows], scores, class_ids


def labelled(values: FloatArray, background: Background) -> FloatArray:
    """(..., C and the background) values without the background's."""
    if background == "none":
        return values
    return values[..., 1:] if background == "first" else values[..., :-1]


def activated(values: FloatArray, activation: AnyActivation) -> FloatArray:
    """Scores as probabilities; softmax along the last axis."""
    if activation == "softmax":
        return softmax(values)
    return sigmoid(values) if activation == "sigmoid" else values


def planes(tensor: FloatArray, layout: Layout) -> FloatArray:
    """(1, C, H, W), or (1, H, W, C) for nhwc, as (C, H, W), a view."""
    image: FloatArray = tensor[0]
    return image if layout == "nchw" else image.transpose(2, 0, 1)


def before(activation: AnyActivation, threshold: float) -> float:
    """What a raw value must reach for its activated value to reach ``threshold``; no single value tells for softmax."""
    return logit(threshold) if activation == "sigmoid" else threshold


def logit(probability: float) -> float:
    """The value whose sigmoid is ``probability`` (in [0, 1))."""
    return -math.inf if probability <= 0 else math.log(probability) - math.log1p(-probability)


def sigmoid(values: FloatArray) -> FloatArray:
    """1 / (1 + exp(-v)), without overflow."""
    result: FloatArray = 0.5 * np.tanh(0.5 * values) + 0.5
    return result


def softmax(values: FloatArray) -> FloatArray:
    """exp(v) / sum(exp(v)) along the last axis, without overflow."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    result: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return result


def corners(boxes: FloatArray) -> FloatArray:
    """(M, 4) centre x, centre y, width, height as x1, y1, x2, y2."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def to_pixels(boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(M, 4) boxes in parts of the input as pixels of it."""
    return boxes * np.array([*size, *size], np.float32)


def cells(size: tuple[int, int], strides: Sequence[int], offset: float) -> tuple[FloatArray, FloatArray]:
    """The grid of an anchor-free model: maps in the order of their strides, each row by row.

    Args:
        size: (width, height) of the model's input.
        strides: pixels a cell of each map.
        offset: where in its cell a point lies, in cells: 0.5 is the centre.

    Returns:
        (N, 2) x, y of all points in pixels and (N, 1) the stride of each.
    """
    points, steps = [], []
    for stride in strides:
        columns, rows = (math.ceil(length / stride) for length in size)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1)
        points.append((np.stack([x, y], axis=1) + offset) * stride)
        steps.append(np.full((len(x), 1), stride))
    return np.concatenate(points).astype(np.float32), np.concatenate(steps).astype(np.float32)
