"""Recorded frames through another model, and how its answers differ from those on the robot."""

from __future__ import annotations

import heapq
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.recording.differences import Difference, Totals, difference
from edge_ai.recording.reader import RecordingReader

Infer = Callable[[Frame], Result]


@dataclass(frozen=True, slots=True)
class Case:
    """One picture with both answers."""

    frame: Frame
    recorded: Result
    new: Result
    difference: Difference


@dataclass(slots=True)
class Replay:
    """What came of it.

    Attributes:
        totals: over all pictures.
        worst: those that differ most, the worst first.
        seconds: an inference with pre- and postprocessing each.
        failed: pictures without a new answer.
        reason: of the last of them.
    """

    totals: Totals = field(default_factory=Totals)
    worst: list[Case] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    reason: str = ""

    def summary(self) -> dict[str, Any]:
        """The figures, for a JSON file."""
        totals = self.totals
        everything = totals.all
        return {
            "pictures": totals.compared + totals.alone + self.failed,
            "compared": totals.compared,
            "same": totals.same,
            "failed": self.failed,
            "both": everything.both,
            "missed": everything.missed,
            "added": everything.added,
            "mean_overlap": totals.overlap,
            "mean_score_change": totals.score,
            "inference_ms": statistics.median(self.seconds) * 1e3 if self.seconds else float("nan"),
            "recorded_models": dict(totals.models),
            "classes": {
                name: {"both": one.both, "missed": one.missed, "added": one.added}
                for name, one in sorted(totals.classes.items())
            },
        }


def replay(
    reader: RecordingReader,
    infer: Infer,
    *,
    topic: str = "",
    least_overlap: float = 0.5,
    keep: int = 12,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Replay:
    """Run every recorded frame through a model.

    Args:
        reader: of the recording.
        infer: the model.
        topic: of the pictures; empty: the only one.
        least_overlap: IoU below which two boxes are of different things.
        keep: how many of the pictures that differ most are kept.
        on_frame: called with the number of pictures done.

    Raises:
        SourceError: there is no such topic, or none or several with pictures.
    """
    recorded, outcome = reader.results(), Replay()
    worst: list[tuple[int, int, Case]] = []
    for count, frame in enumerate(reader.frames(topic)):
        begun = time.perf_counter()
        try:
            new = infer(frame)
        except EdgeAIError as error:
            outcome.failed, outcome.reason = outcome.failed + 1, str(error)
            continue
        outcome.seconds.append(time.perf_counter() - begun)
        was = recorded.get(frame.header.stamp_ns)
        if was is None:
            outcome.totals.alone += 1
        else:
            case = Case(frame, was, new, difference(was, new, least_overlap))
            outcome.totals.add(was, new, case.difference)
            if case.difference.size and keep:
                heapq.heappush(worst, (case.difference.size, -count, case))
                if len(worst) > keep:
                    heapq.heappop(worst)
        on_frame(count + 1)
    outcome.worst = [case for _, _, case in sorted(worst, key=lambda one: (-one[0], -one[1]))]
    return outcome
