"""Detections that a server made, believed only after a close look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Detections
from edge_ai.processing.card import ModelCard
from edge_ai.processing.serving import DETECTIONS
from edge_ai.routing.cloud.base import CloudAnswerError

_SLACK = 0.01
"""Pixels by which rounding may put a box outside its image."""


def read_detections(
    outputs: Mapping[str, NDArray[Any]],
    card: ModelCard,
    size: tuple[int, int],
    threshold: float,
    classes: Collection[int] | None = None,
) -> Detections:
    """What a server found in an image.

    Args:
        outputs: boxes (N, 4) float32 in pixels of the image, scores (N,) float32, class_ids (N,) int32; each may have
            axes of length 1 in front.
        card: labels.
        size: (width, height) of the image.
        threshold: what scores below is left out.
        classes: numbers of the classes to report; None: all.

    Raises:
        CloudAnswerError: a shape or type is wrong, a value is not finite or out of its range, or the best is not first.
    """
    boxes = _rows(outputs, "boxes", (4,), np.float32)
    scores = _rows(outputs, "scores", (), np.float32)
    class_ids = _rows(outputs, "class_ids", (), np.int32)
    if not len(boxes) == len(scores) == len(class_ids):
        got = f"{len(boxes)} boxes, {len(scores)} scores and {len(class_ids)} class_ids"
        raise CloudAnswerError("detections", got=got, wanted="as many of each")
    _check_values(boxes, scores, class_ids, card, size)
    wanted = scores >= threshold
    if classes is not None:
        wanted &= np.isin(class_ids, list(classes))
    wanted &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    limit = np.array([*size, *size], np.float32)
    # Copies: what came is a view of the whole answer and cannot be written to.
    return Detections(np.clip(boxes[wanted], 0, limit), scores[wanted], class_ids[wanted], card.labels)


def _rows(outputs: Mapping[str, NDArray[Any]], name: str, row: tuple[int, ...], dtype: type) -> NDArray[Any]:
    array = outputs.get(name)
    if array is None:
        raise CloudAnswerError("detections", got=f"outputs {sorted(outputs)}", wanted=", ".join(DETECTIONS))
    axes = array.ndim - 1 - len(row)
    if axes < 0 or array.dtype != dtype or any(n != 1 for n in array.shape[:axes]) or array.shape[axes + 1 :] != row:
        wanted = f"{np.dtype(dtype)} {['N', *row]}"
        raise CloudAnswerError(f"output '{name}'", got=f"{array.dtype} {list(array.shape)}", wanted=wanted)
    return array.reshape(array.shape[axes:])


def _check_values(
    boxes: NDArray[Any], scores: NDArray[Any], class_ids: NDArray[Any], card: ModelCard, size: tuple[int, int]
) -> None:
    width, height = size
    checks = (
        ("a box that is not finite", np.isfinite(boxes).all(), "pixels"),
        ("a score out of range", ((scores >= 0) & (scores <= 1)).all(), "0 to 1"),
        ("a class number out of range", ((class_ids >= 0) & (class_ids < len(card.labels))).all(), len(card.labels)),
        ("scores out of order", (np.diff(scores) <= 0).all(), "the best first"),
        ("a box outside the image", _inside(boxes, width, height), f"0 to {width} and 0 to {height}"),
        ("a box whose corners are swapped", (boxes[:, :2] <= boxes[:, 2:]).all(), "x1, y1, x2, y2"),
    )
    for got, good, wanted in checks:
        if not good:
            raise CloudAnswerError("detections of a server", got=got, wanted=wanted)


def _inside(boxes: NDArray[Any], width: int, height: int) -> bool:
    limit = np.array([width, height] * 2, np.float32) + _SLACK
    return bool(((boxes >= -_SLACK) & (boxes <= limit)).all())
