"""Lines, panels and text whose sizes follow the picture's, and room for labels that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edge_ai.core.types import Image

Colour = tuple[int, int, int]
Rect = tuple[int, int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DIAGONAL = 960.0


class Canvas:
    """A picture being drawn on.

    Lengths are in units of which a 768 x 576 px picture has one a pixel; rectangles are x1, y1, x2, y2 in pixels.

    Args:
        picture: (H, W, 3) uint8, written to.
    """

    def __init__(self, picture: Image) -> None:
        self.picture = picture
        self.height, self.width = picture.shape[:2]
        self.scale = min(max(math.hypot(self.width, self.height) / _DIAGONAL, 0.5), 6.0)
        self._taken: list[Rect] = []

    def px(self, length: float) -> int:
        """A length in pixels, at least 1."""
        return max(1, round(length * self.scale))

    def rectangle(self, rect: Rect, colour: Colour, width: float) -> None:
        """The outline of a rectangle, on a thin dark one that keeps it visible on any ground."""
        for extra, shade in ((1.5, (20, 20, 20)), (0.0, colour)):
            cv2.rectangle(self.picture, rect[:2], rect[2:], shade, self.px(width + extra), cv2.LINE_AA)

    def panel(self, rect: Rect, colour: Colour, opacity: float, radius: float = 4) -> None:
        """A filled rectangle with round corners, through which the picture shines."""
        x1, y1, x2, y2 = rect[0] - 1, rect[1] - 1, rect[2] + 2, rect[3] + 2
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, self.width), min(y2, self.height)
        if x1 >= x2 or y1 >= y2:
            return
        ground = self.picture[y1:y2, x1:x2]
        cover = ground.copy()
        r = min(self.px(radius), (rect[2] - rect[0]) // 2, (rect[3] - rect[1]) // 2)
        left, top, right, bottom = rect[0] - x1, rect[1] - y1, rect[2] - x1, rect[3] - y1
        cv2.rectangle(cover, (left + r, top), (right - r, bottom), colour, cv2.FILLED)
        cv2.rectangle(cover, (left, top + r), (right, bottom - r), colour, cv2.FILLED)
        for x in (left + r, right - r):
            for y in (top + r, bottom - r):
                cv2.circle(cover, (x, y), r, colour, cv2.FILLED, cv2.LINE_AA)
        ground[:] = cv2.addWeighted(cover, opacity, ground, 1 - opacity, 0)

    def label_size(self, text: str, size: float) -> tuple[int, int]:
        """Width and height in pixels of a label with this text."""
        (width, height), _ = cv2.getTextSize(text, _FONT, size * self.scale, self._weight(size))
        return width + 2 * self._margin(size), height + 2 * self._margin(size)

    def label(
        self, text: str, corner: tuple[int, int], size: float, ink: Colour, ground: Colour, opacity: float
    ) -> Rect:
        """Text on a panel whose top left corner is given; its room counts as taken."""
        width, height = self.label_size(text, size)
        rect = (corner[0], corner[1], corner[0] + width, corner[1] + height)
        self.panel(rect, ground, opacity)
        margin = self._margin(size)
        at = (rect[0] + margin, rect[3] - margin)
        cv2.putText(self.picture, text, at, _FONT, size * self.scale, ink, self._weight(size), cv2.LINE_AA)
        self.take(rect)
        return rect

    def take(self, rect: Rect) -> None:
        """Keep later labels away from a place."""
        self._taken.append(rect)

    def room(
        self, text: str, size: float, corners: Sequence[tuple[int, int]], avoid: Sequence[Rect]
    ) -> tuple[int, int] | None:
        """The first of several places for a label that is free, inside the picture and on nothing to avoid, or None."""
        width, height = self.label_size(text, size)
        for wished, y in corners:
            x = max(0, min(wished, self.width - width - 1))
            rect = (x, y, x + width, y + height)
            inside = y >= 0 and y + height < self.height and width < self.width
            if inside and not any(_overlap(rect, other) for other in (*self._taken, *avoid)):
                return x, y
        return None

    def arrow(self, start: tuple[int, int], end: tuple[int, int], colour: Colour, width: float) -> None:
        """An arrow with a filled head."""
        x, y = end[0] - start[0], end[1] - start[1]
        length = math.hypot(x, y)
        if length < 1:
            return
        ahead, aside = np.array([x, y]) / length, np.array([-y, x]) / length
        head = min(self.px(4 * width), length)
        neck = np.array(end) - ahead * head
        cv2.line(self.picture, start, tuple(int(v) for v in neck.round()), colour, self.px(width), cv2.LINE_AA)
        tip = np.array([end, neck + aside * head * 0.6, neck - aside * head * 0.6]).round().astype(np.int32)
        cv2.fillPoly(self.picture, [tip], colour, cv2.LINE_AA)

    def _margin(self, size: float) -> int:
        return self.px(9 * size)

    def _weight(self, size: float) -> int:
        return max(1, round(2 * size * self.scale))


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
