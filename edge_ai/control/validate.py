"""Does a result make sense? What does not must not move a robot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Result

_OUTSIDE_PX = 1.0
"""How far a box may stick out of the image: what rounding in another process or in the cloud may cost."""


def fault(result: Result) -> str:
    """What is wrong with a result, with numbers; empty if nothing is. How old it is is not judged here."""
    header, found = result.header, result.detections
    if header.stamp_ns <= 0:
        return "no capture stamp: with use_sim_time, is /clock published?"
    if header.width <= 0 or header.height <= 0:
        return f"the image measures {header.width} x {header.height} px"
    if result.classification is not None or result.segmentation is not None:
        return f"model '{result.model_name}' classifies or segments: it tells neither targets nor obstacles"
    boxes, scores = np.asarray(found.boxes), np.asarray(found.scores)
    count = len(scores)
    if boxes.shape != (count, 4) or scores.shape != (count,) or np.shape(found.class_ids) != (count,):
        return f"{boxes.shape} boxes, {scores.shape} scores, {np.shape(found.class_ids)} classes do not match"
    # Next to every result is good, and has few boxes: numpy is for saying what is wrong.
    if _good(boxes.tolist(), scores.tolist(), header.width + _OUTSIDE_PX, header.height + _OUTSIDE_PX):
        return ""
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        return "a box or score is NaN or infinite"
    if scores.min() < 0 or scores.max() > 1:
        return f"scores from {scores.min():.3g} to {scores.max():.3g}, not within 0 to 1"
    inverted = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    if inverted.any():
        return f"box {_numbers(boxes[inverted.argmax()])} has no area"
    edge = np.array([header.width, header.height, header.width, header.height]) + _OUTSIDE_PX
    outside = ((boxes < -_OUTSIDE_PX) | (boxes > edge)).any(axis=1)
    if outside.any():
        return f"box {_numbers(boxes[outside.argmax()])} lies outside of {header.width} x {header.height} px"
    return ""


def _good(boxes: list[list[float]], scores: list[float], right: float, bottom: float) -> bool:
    """Whether nothing is wrong; NaN makes every comparison false."""
    return all(0 <= score <= 1 for score in scores) and all(
        -_OUTSIDE_PX <= x1 < x2 <= right and -_OUTSIDE_PX <= y1 < y2 <= bottom for x1, y1, x2, y2 in boxes
    )


def _numbers(box: NDArray[Any]) -> str:
    return "[" + ", ".join(f"{value:.1f}" for value in box) + "]"
