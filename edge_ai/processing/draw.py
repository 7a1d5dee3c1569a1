"""Pictures for people: what the model saw, whom the robot follows and what it does about it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge_ai.core.boxes import iou
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Detections, FloatArray, Image, Result, Velocity
from edge_ai.processing.canvas import Canvas, Colour, Rect
from edge_ai.processing.draw_answers import best_classes, skeletons, tint
from edge_ai.processing.draw_answers import class_colour as class_colour

_FOLLOWING = "FOLLOWING"

_WHITE: Colour = (255, 255, 255)
_DARK: Colour = (32, 28, 24)
_AMBER: Colour = (0, 190, 255)
_GREEN: Colour = (96, 160, 32)
_RED: Colour = (48, 40, 208)

_SMALL, _MEDIUM, _LARGE = 0.42, 0.55, 0.75
_LEAST_OVERLAP = 0.3
_GAP = 10
_DIAL = 44


def annotate(
    image_bgr: Image,
    result: Result,
    *,
    target: Sequence[float] | None = None,
    command: Velocity | None = None,
    age_s: float | None = None,
    state: str = "",
    fastest: Velocity = Velocity(1.0, 1.0),  # noqa: B008 - frozen
) -> Image:
    """A copy of an image with what the model found and the robot's intentions drawn on it.

    Args:
        image_bgr: (H, W, 3) uint8, blue first; not written to. Lines and text scale with it.
        result: what was found in it.
        target: box x1, y1, x2, y2 in pixels of the one followed; the detection it overlaps most stands out.
        command: velocity, drawn as an arrow: forward is up, a turn to the left points left.
        age_s: seconds from the capture to now.
        state: what the robot does, in a word; any but "FOLLOWING" is shown as a stop.
        fastest: speeds in m/s and rad/s that make an arrow of full length.

    Raises:
        ImageError: the image is empty or of another shape or type.
    """
    if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.size == 0 or image_bgr.dtype != np.uint8:
        got = f"{image_bgr.dtype} {list(image_bgr.shape)}"
        raise ImageError("image to draw on", got=got, wanted="uint8 [height, width, 3]")
    canvas = Canvas(np.array(image_bgr, order="C"))
    if result.segmentation is not None:
        tint(canvas, result.segmentation)
    if result.classification is not None:
        best_classes(canvas, result.classification)
    rects = _rects(result.detections, canvas)
    followed = _most_like(target, result.detections.boxes, rects)
    _outlines(canvas, result.detections, rects, followed)
    skeletons(canvas, result.detections)
    if state:
        _state(canvas, state)
    if age_s is not None:
        _age(canvas, age_s)
    if command is not None:
        _command(canvas, command, fastest)
    _names(canvas, result.detections, rects, followed)
    return canvas.picture


def _rects(found: Detections, canvas: Canvas) -> dict[int, Rect]:
    """Boxes that can be drawn, by index, worst first so that the best come out on top."""
    edge = (canvas.width - 1, canvas.height - 1) * 2
    rects = {}
    for i in range(len(found) - 1, -1, -1):
        if np.isfinite(found.boxes[i]).all():
            x1, y1, x2, y2 = (int(min(max(value, 0.0), most)) for value, most in zip(found.boxes[i], edge, strict=True))
            rects[i] = (x1, y1, x2, y2)
    return rects


def _most_like(target: Sequence[float] | None, boxes: FloatArray, rects: dict[int, Rect]) -> int | None:
    if target is None or not rects:
        return None
    overlaps = {i: iou(target, boxes[i]) for i in rects}
    best = max(overlaps, key=lambda i: overlaps[i])
    return best if overlaps[best] >= _LEAST_OVERLAP else None


def _outlines(canvas: Canvas, found: Detections, rects: dict[int, Rect], followed: int | None) -> None:
    for i, rect in rects.items():
        if i != followed:
            canvas.rectangle(rect, class_colour(int(found.class_ids[i])), 1.5)
    if followed is not None:
        canvas.rectangle(rects[followed], _AMBER, 3.5)


def _names(canvas: Canvas, found: Detections, rects: dict[int, Rect], followed: int | None) -> None:
    """Labels beside their boxes, the followed one's first and then by score.

    None lies on another label or on the followed one, none on any box if there is another place; one that finds no
    room is left out.
    """
    for i in sorted(rects, key=lambda i: (i != followed, i)):
        score = f"{found.scores[i]:.2f}" if np.isfinite(found.scores[i]) else "?"
        text = f"{found.name(i)} {score}"
        size, colour = (_MEDIUM, _AMBER) if i == followed else (_SMALL, class_colour(int(found.class_ids[i])))
        places = _places(canvas, text, size, rects[i])
        others = [rect for other, rect in rects.items() if other != i]
        kept = [rects[followed]] if followed is not None and followed != i else []
        corner = canvas.room(text, size, places, others) or canvas.room(text, size, places, kept)
        if corner is not None:
            canvas.label(text, corner, size, _DARK, colour, 0.85)


def _places(canvas: Canvas, text: str, size: float, rect: Rect) -> list[tuple[int, int]]:
    x1, y1, x2, y2 = rect
    width, height = canvas.label_size(text, size)
    gap = canvas.px(3)
    above, below = y1 - height - gap, y2 + gap
    return [(x1, above), (x2 - width, above), (x1, below), (x2 - width, below), (x2 + gap, y1), (x1 - width - gap, y1)]


def _state(canvas: Canvas, state: str) -> None:
    moving = state == _FOLLOWING
    text = state.replace("_", " ")
    text = text if moving or "STOP" in text else f"STOP: {text}"
    gap = canvas.px(_GAP)
    canvas.label(text, (gap, gap), _MEDIUM if moving else _LARGE, _WHITE, _GREEN if moving else _RED, 0.9)


def _age(canvas: Canvas, age_s: float) -> None:
    text = f"age {age_s * 1000:.0f} ms" if np.isfinite(age_s) else "age ?"
    width, _ = canvas.label_size(text, _MEDIUM)
    gap = canvas.px(_GAP)
    canvas.label(text, (canvas.width - width - gap, gap), _MEDIUM, _WHITE, _DARK, 0.7)


def _command(canvas: Canvas, command: Velocity, fastest: Velocity) -> None:
    """A dial at the bottom, its arrow out of the middle, the numbers beside it."""
    radius, gap = canvas.px(_DIAL), canvas.px(_GAP)
    x, y = canvas.width // 2, canvas.height - radius - gap
    dial = (x - radius, y - radius, x + radius, y + radius)
    canvas.panel(dial, _DARK, 0.6, radius=_DIAL)
    cv2.circle(canvas.picture, (x, y), radius, _WHITE, canvas.px(1.2), cv2.LINE_AA)
    canvas.take(dial)
    across = -_share(command.angular, fastest.angular)
    ahead = _share(command.linear, fastest.linear)
    length = (radius - canvas.px(4)) / max(1.0, float(np.hypot(across, ahead)))
    if across or ahead:
        canvas.arrow((x, y), (round(x + across * length), round(y - ahead * length)), _AMBER, 4)
    else:
        side = canvas.px(9)
        canvas.panel((x - side, y - side, x + side, y + side), _RED, 1.0, radius=2)
    _numbers(canvas, f"{command.linear:+.2f} m/s", dial, left=True)
    _numbers(canvas, f"{command.angular:+.2f} rad/s", dial, left=False)


def _numbers(canvas: Canvas, text: str, dial: Rect, *, left: bool) -> None:
    width, height = canvas.label_size(text, _MEDIUM)
    gap = canvas.px(6)
    x = dial[0] - gap - width if left else dial[2] + gap
    canvas.label(text, (x, (dial[1] + dial[3] - height) // 2), _MEDIUM, _WHITE, _DARK, 0.7)


def _share(value: float, full: float) -> float:
    return min(max(value / full, -1.0), 1.0) if full > 0 and np.isfinite(value) else 0.0
