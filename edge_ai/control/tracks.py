"""Which box of this result is which of the last: a small tracker for the few objects a robot might follow.

Every object of interest is tracked, not the one followed alone: when somebody steps in front of them, the new box then
belongs to the one in front, and the one behind counts as not seen rather than being mistaken for the other.

Plain numbers throughout: for the few boxes of a frame an array's overhead is most of its cost, and it is paid on the
way from seeing to acting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_ai.core.boxes import iou
from edge_ai.core.clock import NS
from edge_ai.core.types import Detections

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""

_LEAST_IOU = 0.2
_FARTHEST = 0.5
_TALLER = 1.6
_SMOOTHING = 0.5


@dataclass
class Track:
    """One object seen in several results.

    Attributes:
        track_id: its own number.
        box: as last seen.
        class_id: number of its class.
        seen_ns: when it was last seen, on the steady clock.
        velocity: of its centre in px/s, to the right and down.
        sightings: in how many results.
    """

    track_id: int
    box: Box
    class_id: int
    seen_ns: int
    velocity: tuple[float, float] = (0.0, 0.0)
    sightings: int = 1

    def lost_for(self, now_ns: int) -> float:
        """Seconds since it was last seen."""
        return (now_ns - self.seen_ns) / NS

    def see(self, box: Box, now_ns: int) -> None:
        """Take note of its box in a newer result; the velocity is smoothed exponentially."""
        took = max(self.lost_for(now_ns), 1e-3)
        share = 1.0 if self.sightings == 1 else _SMOOTHING
        (x, y), (before_x, before_y), (vx, vy) = _centre(box), _centre(self.box), self.velocity
        self.velocity = (
            share * (x - before_x) / took + (1 - share) * vx,
            share * (y - before_y) / took + (1 - share) * vy,
        )
        self.box, self.seen_ns = box, now_ns
        self.sightings += 1

    def expected(self, now_ns: int) -> Box:
        """Where its box is if its centre has kept its velocity."""
        (x1, y1, x2, y2), (vx, vy), lost = self.box, self.velocity, self.lost_for(now_ns)
        return x1 + vx * lost, y1 + vy * lost, x2 + vx * lost, y2 + vy * lost


class Tracks:
    """The objects under way."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._next_id = 0

    def clear(self) -> None:
        """Forget all of them; their numbers are not used again."""
        self._tracks.clear()

    def update(self, found: Detections, keep: Sequence[int], start: Sequence[int], now_ns: int) -> dict[int, Track]:
        """Give boxes of a new result to tracks.

        Args:
            found: the result's detections.
            keep: indices of those that may continue a track.
            start: indices of those that may begin one.
            now_ns: capture time of the result on the steady clock, later than all before.

        Returns:
            The tracks seen, by index of their box.
        """
        boxes: list[Box] = [tuple(box) for box in found.boxes.tolist()]
        classes: list[int] = found.class_ids.tolist()
        seen = self._match(boxes, classes, keep, now_ns)
        for index, track in seen.items():
            track.see(boxes[index], now_ns)
        for index in start:
            if index not in seen:
                seen[index] = Track(self._next_id, boxes[index], classes[index], now_ns)
                self._tracks.append(seen[index])
                self._next_id += 1
        return seen

    def drop_lost(self, now_ns: int, after: float) -> None:
        """Forget those not seen for more than ``after`` seconds."""
        self._tracks = [track for track in self._tracks if track.lost_for(now_ns) <= after]

    def _match(self, boxes: list[Box], classes: list[int], keep: Sequence[int], now_ns: int) -> dict[int, Track]:
        """By overlap with where each is expected; those left over by nearness."""
        expected = {i: track.expected(now_ns) for i, track in enumerate(self._tracks)}
        seen: dict[int, Track] = {}
        for alike, least in ((iou, _LEAST_IOU), (closeness, 1 - _FARTHEST)):
            left = [index for index in keep if index not in seen]
            if not left or not expected:
                break
            pairs = (
                (alike(box, boxes[index]), number, index)
                for number, box in expected.items()
                for index in left
                if self._tracks[number].class_id == classes[index]
            )
            for number, index in _greedy(pairs, least):
                seen[index] = self._tracks[number]
                del expected[number]
        return seen


def closeness(a: Box, b: Box) -> float:
    """1 less the distance of two boxes' centres in diagonals of ``a``; -1 where their heights differ too much."""
    tall, other = a[3] - a[1], b[3] - b[1]
    if max(tall, other) > _TALLER * min(tall, other):
        return -1.0
    return 1 - math.dist(_centre(a), _centre(b)) / math.hypot(a[2] - a[0], tall)


def _greedy(pairs: Iterable[tuple[float, int, int]], least: float) -> list[tuple[int, int]]:
    """Pairs of worth at least ``least``, the worthiest first, each side used once; among equals the earliest."""
    rows: set[int] = set()
    columns: set[int] = set()
    chosen = []
    for _, row, column in sorted((p for p in pairs if p[0] >= least), key=lambda p: -p[0]):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            chosen.append((row, column))
    return chosen


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
