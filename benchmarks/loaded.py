"""A pipeline that always has a next frame, and when each of its results came."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from edge_ai.core.clock import NS
from edge_ai.core.types import Frame, FrameHeader, Result
from edge_ai.runtime.detector import Detector
from edge_ai.runtime.pipeline import Pipeline


@dataclass(frozen=True)
class Seen:
    """A result: when it was handed on (steady nanoseconds), of which frame, by which model."""

    at: int
    index: int
    version: str


class Loaded:
    """One worker that never waits for a frame.

    Args:
        model: runs them.
        pictures: shown one after the other; without an end.
        on_result: told of each result.
    """

    def __init__(
        self, model: Detector, pictures: Iterator[Any], on_result: Callable[[Result, Frame], None] = lambda *_: None
    ) -> None:
        self.seen: list[Seen] = []
        self.submitted, self._pictures, self._told = 0, pictures, on_result
        self._end, self._pipeline = threading.Event(), Pipeline(model, self._on_result)
        self._feeder = threading.Thread(target=self._feed, daemon=True)

    @contextmanager
    def running(self) -> Iterator[Loaded]:
        """Until the block ends; then what was submitted is waited for."""
        self._pipeline.start()
        self._feeder.start()
        time.sleep(0.5)
        try:
            yield self
        finally:
            self._end.set()
            self._feeder.join()
            while (counts := self._pipeline.counts).processed + counts.overtaken + counts.failed < self.submitted:
                time.sleep(0.01)
            self._pipeline.stop()

    @property
    def lost(self) -> int:
        """Frames that were not answered, or not once; after `running`."""
        return abs(self.submitted - len(self.seen)) + len(self.seen) - len({one.index for one in self.seen})

    def _on_result(self, result: Result, frame: Frame) -> None:
        self.seen.append(Seen(time.monotonic_ns(), frame.header.index, result.model_version))
        self._told(result, frame)

    def _feed(self) -> None:
        while not self._end.is_set():
            self._pipeline.submit(frame_of(self.submitted, next(self._pictures)), patience=10.0)
            self.submitted += 1


def usual_intervals(seen: Sequence[Seen]) -> dict[str, float]:
    """The median interval of each model, in nanoseconds, away from switches."""
    intervals: dict[str, list[int]] = {}
    for one, other in pairwise(seen):
        if one.version == other.version:
            intervals.setdefault(other.version, []).append(other.at - one.at)
    return {version: statistics.median(values) for version, values in intervals.items()}


def frame_of(index: int, picture: Any) -> Frame:
    """A frame of now."""
    height, width = picture.shape[:2]
    now = time.monotonic_ns()
    return Frame(FrameHeader(now + NS, now, "eye", index, width, height), picture)
