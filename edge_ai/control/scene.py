"""What the newest result means to the robot: whom it follows, and what is in its way."""

from __future__ import annotations

from edge_ai.control.params import ControlParams
from edge_ai.control.tracker import Target, TargetTracker, is_wanted
from edge_ai.control.zone import corners, reaches
from edge_ai.core.clock import NS
from edge_ai.core.types import Result


class Scene:
    """Looks at each result once and remembers over time.

    Attributes:
        target: the one followed; None if nobody is seen.
        obstacle: what is in the stop zone, or was a moment ago, in words; empty if the way is free.
    """

    def __init__(self) -> None:
        self.target: Target | None = None
        self.obstacle = ""
        self._tracker = TargetTracker()
        self._seen: Result | None = None
        self._blocked_ns: int | None = None

    def look(self, result: Result, params: ControlParams) -> None:
        """Take in a result; the same one twice changes nothing."""
        if result is not self._seen:
            self.target = self._tracker.update(result, params)
            self.obstacle = self._watch_zone(result, params)
            self._seen = result

    def forget_target(self) -> None:
        """Choose anew whom to follow."""
        self._tracker.forget()
        self.target = None

    def waiting(self, now_ns: int) -> str:
        """Why nobody is followed, in words."""
        missed = self._tracker.missed_for(now_ns)
        return "nobody to follow" if missed is None else f"waiting for the one followed, not seen for {missed:.2f} s"

    def _watch_zone(self, result: Result, params: ControlParams) -> str:
        now = result.header.steady_ns
        if found := _obstacle(result, params):
            self._blocked_ns = now
            return found
        free = None if self._blocked_ns is None else (now - self._blocked_ns) / NS
        if free is None or free >= params.obstacle_clear_after:
            return ""
        return f"stop zone free for {free:.2f} s of {params.obstacle_clear_after:g} s"


def _obstacle(result: Result, params: ControlParams) -> str:
    """The first obstacle in the stop zone, in words; empty if there is none."""
    header, found = result.header, result.detections
    polygon = [(x * header.width, y * header.height) for x, y in corners(params.stop_zone)]
    for i, (score, box) in enumerate(zip(found.scores.tolist(), found.boxes.tolist(), strict=True)):
        wanted = score >= params.obstacle_min_score and is_wanted(found.name(i), params.obstacle_classes)
        if wanted and reaches(box, polygon):
            return f"{found.name(i)} ({score:.2f}) in the stop zone"
    return ""
