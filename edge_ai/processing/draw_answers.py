"""What a classifier, a segmenter or a model of poses said, drawn on a picture."""

from __future__ import annotations

import colorsys
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Classification, Detections, FloatArray, Image, Segmentation
from edge_ai.processing.canvas import Canvas, Colour

_DARK: Colour = (32, 28, 24)
_WHITE: Colour = (255, 255, 255)
_OPACITY = 0.5
_BEST_CLASSES = 3
_LEGEND = 6
_LEAST_SCORE = 0.2  # of a keypoint; below it is a guess
_LINE_SIZE = 0.55
_GAP = 10
_STATE_ROOM = 48  # at the top left, where the robot's state stands

_LIMBS = (
    *pairwise(("left_wrist", "left_elbow", "left_shoulder", "right_shoulder", "right_elbow", "right_wrist")),
    *pairwise(("left_ankle", "left_knee", "left_hip", "right_hip", "right_knee", "right_ankle")),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    *pairwise(("left_ear", "left_eye", "nose", "right_eye", "right_ear")),
)
"""Of COCO's 17 keypoints, by name: any model that names its own so gets these lines."""


def class_colour(class_id: int) -> Colour:
    """A colour of its own for each class, the same in every picture; blue first."""
    red, green, blue = colorsys.hsv_to_rgb((0.5 + class_id * 0.618034) % 1.0, 0.6, 0.95)
    return int(blue * 255), int(green * 255), int(red * 255)


def tint(canvas: Canvas, found: Segmentation) -> None:
    """Every class but the first half transparent in its colour, with a legend of the largest."""
    size = (canvas.width, canvas.height)
    mask = found.mask
    if mask.shape != size[::-1]:
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    colours: Image = np.array([class_colour(i) for i in range(256)], np.uint8)
    covered = cv2.addWeighted(canvas.picture, 1 - _OPACITY, colours[mask], _OPACITY, 0)
    np.copyto(canvas.picture, covered, where=(mask != 0)[:, :, np.newaxis])
    counts = np.bincount(mask.ravel(), minlength=256)
    counts[0] = 0
    largest = [i for i in np.argsort(-counts, kind="stable")[:_LEGEND].tolist() if counts[i]]
    names = [found.labels[i] if i < len(found.labels) else str(i) for i in largest]
    shares = [f"{name} {counts[i] / mask.size:.0%}" for i, name in zip(largest, names, strict=True)]
    _lines(canvas, [(text, class_colour(i)) for i, text in zip(largest, shares, strict=True)])


def best_classes(canvas: Canvas, found: Classification) -> None:
    """The three best classes and their scores."""
    best = range(min(len(found), _BEST_CLASSES))
    _lines(canvas, [(f"{found.name(i)} {found.scores[i]:.2f}", class_colour(int(found.class_ids[i]))) for i in best])


def skeletons(canvas: Canvas, found: Detections) -> None:
    """The keypoints that are more than guesses, and lines between those of them that a limb joins."""
    if found.keypoints is None:
        return
    places = {name: i for i, name in enumerate(found.keypoint_names)}
    limbs = [(places[a], places[b]) for a, b in _LIMBS if a in places and b in places]
    for points, class_id in zip(found.keypoints, found.class_ids.tolist(), strict=True):
        shown = _shown(points, canvas)
        spots = {int(i): (round(float(points[i, 0])), round(float(points[i, 1]))) for i in np.flatnonzero(shown)}
        for a, b in limbs:
            if a in spots and b in spots:
                cv2.line(canvas.picture, spots[a], spots[b], class_colour(class_id), canvas.px(2), cv2.LINE_AA)
        for spot in spots.values():
            cv2.circle(canvas.picture, spot, canvas.px(3.5), _DARK, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(canvas.picture, spot, canvas.px(2.5), _WHITE, cv2.FILLED, cv2.LINE_AA)


def _shown(points: FloatArray, canvas: Canvas) -> NDArray[np.bool_]:
    """Which are likely and not absurdly far away, as OpenCV takes whole numbers of 32 bits."""
    near = np.abs(points[:, :2]) < 10 * max(canvas.width, canvas.height)  # false for NaN
    shown: NDArray[np.bool_] = near.all(axis=1) & (points[:, 2] >= _LEAST_SCORE)
    return shown


def _lines(canvas: Canvas, lines: list[tuple[str, Colour]]) -> None:
    """Lines of text below the robot's state, as many as there is room for."""
    x, y = canvas.px(_GAP), canvas.px(_STATE_ROOM)
    for text, colour in lines:
        corner = canvas.room(text, _LINE_SIZE, [(x, y)], [])
        if corner is None:
            return
        y = canvas.label(text, corner, _LINE_SIZE, _DARK, colour, 0.85)[3] + canvas.px(3)
