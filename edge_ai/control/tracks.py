"""Which box of this result is which of the last: a small tracker for the few objects a robot might follow.

Every object of interest is tracked, not the one followed alone: when somebody steps in front of them, the new box then
belongs to the one in front, and the one behind counts as not seen rather than being mistaken for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.clock import NS
from edge_ai.core.types import Detections

Boxes = NDArray[Any]

_LEAST_IOU = 0.2
_FARTHEST = 0.5
_TALLER = 1.6
_SMOOTHING = 0.5
_NEVER = -1.0


@dataclass
class Track:
    """One object seen in several results.

    Attributes:
        track_id: its own number.
        box: (4,) x1, y1, x2, y2 in pixels, as last seen.
        class_id: number of its class.
        seen_ns: when it was last seen, on the steady clock.
        velocity: (2,) of its centre in px/s.
        sightings: in how many results.
    """

    track_id: int
    box: Boxes
    class_id: int
    seen_ns: int
    velocity: Boxes = field(default_factory=lambda: np.zeros(2))
    sightings: int = 1

    def lost_for(self, now_ns: int) -> float:
        """Seconds since it was last seen."""
        return (now_ns - self.seen_ns) / NS

    def see(self, box: Boxes, now_ns: int) -> None:
        """Take note of its box in a newer result; the velocity is smoothed exponentially."""
        measured = (_centres(box) - _centres(self.box)) / max(self.lost_for(now_ns), 1e-3)
        share = 1.0 if self.sightings == 1 else _SMOOTHING
        self.velocity = share * measured + (1 - share) * self.velocity
        self.box, self.seen_ns = box, now_ns
        self.sightings += 1


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
        boxes = found.boxes.astype(np.float64)
        seen = self._match(boxes, found.class_ids, list(keep), now_ns)
        for index, track in seen.items():
            track.see(boxes[index], now_ns)
        for index in start:
            if index not in seen:
                seen[index] = Track(self._next_id, boxes[index], int(found.class_ids[index]), now_ns)
                self._tracks.append(seen[index])
                self._next_id += 1
        return seen

    def drop_lost(self, now_ns: int, after: float) -> None:
        """Forget those not seen for more than ``after`` seconds."""
        self._tracks = [track for track in self._tracks if track.lost_for(now_ns) <= after]

    def _match(self, boxes: Boxes, classes: Boxes, keep: list[int], now_ns: int) -> dict[int, Track]:
        if not keep or not self._tracks:
            return {}
        expected = _expected(self._tracks, now_ns)
        other = np.array([track.class_id for track in self._tracks])[:, None] != classes[keep]
        overlap = np.where(other, _NEVER, iou(expected, boxes[keep]))
        pairs = _greedy(overlap, _LEAST_IOU)
        if len(pairs) == min(overlap.shape):
            return {keep[column]: self._tracks[row] for row, column in pairs}
        closeness = np.where(other, _NEVER, _closeness(expected, boxes[keep]))
        closeness[[row for row, _ in pairs], :] = _NEVER
        closeness[:, [column for _, column in pairs]] = _NEVER
        pairs += _greedy(closeness, 1 - _FARTHEST)
        return {keep[column]: self._tracks[row] for row, column in pairs}


def _expected(tracks: Sequence[Track], now_ns: int) -> Boxes:
    """(N, 4) where the boxes are if their centres have kept their velocities; in one go, for each result needs it."""
    moved = np.array([track.velocity for track in tracks]) * np.array([[track.lost_for(now_ns)] for track in tracks])
    boxes: Boxes = np.array([track.box for track in tracks]) + np.concatenate([moved, moved], axis=1)
    return boxes


def iou(a: Boxes, b: Boxes) -> Boxes:
    """Intersection over union of boxes (N, 4) with boxes (M, 4), as (N, M)."""
    size = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = np.prod(np.maximum(size, 0), axis=2)
    total = np.prod(_sizes(a), axis=1)[:, None] + np.prod(_sizes(b), axis=1)[None, :] - common
    ratio: Boxes = common / np.maximum(total, 1e-9)
    return ratio


def _closeness(a: Boxes, b: Boxes) -> Boxes:
    """1 less the distance of the centres in diagonals of ``a``; -1 where the heights differ too much; (N, M)."""
    distance = np.linalg.norm(_centres(a)[:, None] - _centres(b)[None], axis=2)
    diagonal = np.linalg.norm(_sizes(a), axis=1)[:, None]
    tall, other = _sizes(a)[:, 1][:, None], _sizes(b)[:, 1][None, :]
    alike = np.maximum(tall, other) <= _TALLER * np.minimum(tall, other)
    return np.where(alike, 1 - distance / diagonal, _NEVER)


def _greedy(worth: Boxes, least: float) -> list[tuple[int, int]]:
    """Pairs of row and column, the worthiest first, each used once."""
    pairs: list[tuple[int, int]] = []
    worth = worth.copy()
    while worth.size and worth.max() >= least:
        row, column = (int(i) for i in np.unravel_index(worth.argmax(), worth.shape))
        pairs.append((row, column))
        worth[row, :] = worth[:, column] = -np.inf
    return pairs


def _centres(boxes: Boxes) -> Boxes:
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def _sizes(boxes: Boxes) -> Boxes:
    return boxes[..., 2:] - boxes[..., :2]
