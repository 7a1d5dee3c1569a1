"""Chooses somebody to follow and keeps to them while they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_ai.control.params import ControlParams
from edge_ai.control.tracks import Track, Tracks
from edge_ai.core.types import Detections, Result


@dataclass(frozen=True, slots=True)
class Target:
    """The one followed, as found in one result.

    Attributes:
        index: its place in the result's detections.
        box: x1, y1, x2, y2 in pixels.
        score: 0 to 1.
        class_id: number of its class.
        class_name: name of its class.
        track_id: its number for as long as it is tracked.
    """

    index: int
    box: tuple[float, float, float, float]
    score: float
    class_id: int
    class_name: str
    track_id: int


class TargetTracker:
    """Chooses somebody to follow and finds them again in each later result.

    Someone not found is waited for: another is chosen only ``lost_after`` seconds after they were last seen. A low
    score does not lose the one followed; ``min_score`` decides who may be chosen (as in ByteTrack, Zhang et al., ECCV
    2022: confident boxes begin tracks, weak ones continue them).
    """

    def __init__(self) -> None:
        self._tracks = Tracks()
        self._followed: Track | None = None

    def forget(self) -> None:
        """Follow nobody; the next result chooses anew."""
        self._tracks.clear()
        self._followed = None

    def missed_for(self, now_ns: int) -> float | None:
        """Seconds since the one followed was last seen, on the clock of `FrameHeader.steady_ns`; None: nobody is."""
        return None if self._followed is None else self._followed.lost_for(now_ns)

    def update(self, result: Result, params: ControlParams) -> Target | None:
        """Find the one followed in a new result, or choose somebody.

        Args:
            result: captured later than all before; its boxes make sense.
            params: whom to follow.

        Returns:
            The one followed; None if they are not in this result, or if there is nobody to choose.
        """
        found, now = result.detections, result.header.steady_ns
        self._tracks.drop_lost(now, params.lost_after)
        if self._followed is not None and self._followed.lost_for(now) > params.lost_after:
            self._followed = None
        keep = [i for i in range(len(found)) if is_wanted(found.name(i), params.follow_class)]
        scores = found.scores.tolist()
        start = [i for i in keep if scores[i] >= params.min_score]
        seen = self._tracks.update(found, keep, start, now)
        if self._followed is None and start:
            self._followed = seen[_choose(found, start, params)]
        return _target(found, seen, self._followed)


def is_wanted(name: str, wanted: str | Sequence[str]) -> bool:
    """Whether a class is among those wanted; "*" stands for all, an empty name for none."""
    names = [wanted] if isinstance(wanted, str) else wanted
    return name in names or "*" in names


def _choose(found: Detections, among: Sequence[int], params: ControlParams) -> int:
    boxes = found.boxes
    if params.follow_by == "nearest":
        return max(among, key=lambda i: float(boxes[i, 3]))
    return max(among, key=lambda i: float((boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])))


def _target(found: Detections, seen: Mapping[int, Track], followed: Track | None) -> Target | None:
    for index, track in seen.items():
        if track is followed:
            x1, y1, x2, y2 = (float(value) for value in found.boxes[index])
            score, class_id = float(found.scores[index]), int(found.class_ids[index])
            return Target(index, (x1, y1, x2, y2), score, class_id, found.name(index), track.track_id)
    return None
