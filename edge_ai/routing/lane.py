"""The frames of one camera under way, and the order in which their answers leave."""

from __future__ import annotations

import math

from edge_ai.core.clock import NS
from edge_ai.core.types import Result
from edge_ai.routing.decision import Where
from edge_ai.routing.journey import Journey


class Lane:
    """Answers leave in the order of capture. One that is ready may wait for older ones; then these are given up.

    Not thread-safe: the router's lock holds.

    Attributes:
        newest_ns: time of capture of the newest answer that has left.
        confidence: best score in it, see `best_score`; NaN before the first.
        size: width and height in px of the newest image known, for images that are decoded later.
    """

    def __init__(self) -> None:
        self.newest_ns = -1
        self.confidence = math.nan
        self.size = (0, 0)
        self._open: dict[int, Journey] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, journey: Journey) -> bool:
        """A frame begins; False if it is not newer than one under way or answered: it comes twice or out of order."""
        if journey.at_ns <= self.newest_ns or journey.at_ns in self._open:
            return False
        self._open[journey.at_ns] = journey
        return True

    def leave(self, journey: Journey) -> None:
        """A frame ends without an answer."""
        self._open.pop(journey.at_ns, None)

    def all(self) -> list[Journey]:
        """The frames under way."""
        return list(self._open.values())

    def release(self, now_ns: int, patience: float) -> tuple[list[Journey], list[Journey], int | None]:
        """Take out what may leave now.

        Args:
            now_ns: steady time.
            patience: seconds a ready answer waits for older ones under way.

        Returns:
            Journeys with an answer in the order of capture, journeys given up as overtaken, and the steady time at
            which to ask again; None: when something happens.
        """
        wait = round(patience * NS)
        ready = [j for j in self._open.values() if j.answer is not None]
        if not ready:
            return [], [], None
        due = max((j.at_ns for j in ready if j.answered_ns + wait <= now_ns), default=-1)
        out: list[Journey] = []
        overtaken: list[Journey] = []
        for at_ns in sorted(self._open):
            journey = self._open[at_ns]
            if journey.answer is None and at_ns < due:
                if journey.provisional is not None:
                    journey.notes.append("no second opinion in time")
                    journey.settle(journey.provisional, Where.EDGE, now_ns)
                else:
                    overtaken.append(journey)
                    del self._open[at_ns]
                    continue
            if journey.answer is None:
                break
            out.append(journey)
            del self._open[at_ns]
        for journey in out:
            self._note(journey.answer)
        waiting = [j.answered_ns + wait for j in self._open.values() if j.answer is not None]
        return out, overtaken, min(waiting, default=None)

    def _note(self, result: Result | None) -> None:
        assert result is not None
        self.newest_ns = result.header.steady_ns
        self.size = (result.header.width, result.header.height)
        self.confidence = best_score(result)


def best_score(result: Result) -> float:
    """The best score in an answer, 0 to 1; 0 where nothing was found, NaN for a mask alone, which has no score."""
    if result.classification is not None:
        scores = result.classification.scores
    elif result.segmentation is not None and len(result.detections) == 0:
        return math.nan
    else:
        scores = result.detections.scores
    return float(scores[0]) if len(scores) else 0.0
