"""Writes spans and the journeys of frames down; each thread writes its spans to a track of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from edge_ai.core.clock import NS
from edge_ai.core.spans import begin_recording, end_recording

CAPACITY = 50_000
"""Spans of a thread, and frames, that are kept: the newest."""


class Span(NamedTuple):
    """Something that took from one moment to another on the steady clock, ns."""

    name: str
    begun_ns: int
    ended_ns: int
    details: Mapping[str, object]


class Journey(NamedTuple):
    """A frame's stages, in order and in seconds, from its capture at a steady time, ns."""

    begun_ns: int
    stages: tuple[tuple[str, float], ...]

    def spans(self) -> Iterator[Span]:
        """Its stages one after the other."""
        begun = self.begun_ns
        for name, seconds in self.stages:
            ended = begun + round(seconds * NS)
            yield Span(name, begun, ended, {})
            begun = ended


class Track:
    """What one thread did; written to by that thread alone."""

    def __init__(self, capacity: int) -> None:
        self.thread_id = threading.get_native_id()
        self.name = threading.current_thread().name
        self.spans: deque[Span] = deque(maxlen=capacity)
        self.added = 0


class SpanRecorder:
    """Everything that is marked, from `start` to `stop`; memory is bounded.

    Args:
        capacity: spans of a thread, and frames, that are kept: the newest.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._own, self._lock = threading.local(), threading.Lock()
        self._journeys: deque[Journey] = deque(maxlen=capacity)
        self._frames = 0
        self._tracks: list[Track] = []
        self.begun_ns = self.ended_ns = time.monotonic_ns()

    def start(self) -> None:
        """Begin.

        Raises:
            EdgeAIError: another recording is under way.
        """
        begin_recording(self)
        self.begun_ns = time.monotonic_ns()

    def stop(self) -> None:
        """End; what is under way is left out."""
        end_recording(self)
        self.ended_ns = time.monotonic_ns()

    @contextmanager
    def running(self) -> Iterator[SpanRecorder]:
        """Record while a block runs; raises as `start`."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def add(self, name: str, begun_ns: int, ended_ns: int, details: Mapping[str, object]) -> None:
        """Write down a span of the calling thread."""
        track: Track | None = getattr(self._own, "track", None)
        if track is None:
            track = self._own.track = Track(self._capacity)
            self._tracks.append(track)
        track.added += 1
        track.spans.append(Span(name, begun_ns, ended_ns, details))

    def journey(self, begun_ns: int, stages: Mapping[str, float]) -> None:
        """Write down the way of a frame."""
        with self._lock:
            self._frames += 1
            self._journeys.append(Journey(begun_ns, tuple(stages.items())))

    @property
    def seconds(self) -> float:
        """From `start` to `stop`."""
        return (self.ended_ns - self.begun_ns) / NS

    @property
    def tracks(self) -> list[Track]:
        """The threads that did something marked; read after `stop`."""
        return list(self._tracks)

    @property
    def journeys(self) -> list[Journey]:
        """The frames; read after `stop`."""
        return list(self._journeys)

    @property
    def lost(self) -> int:
        """Spans and frames that there was no room for."""
        return self._frames - len(self._journeys) + sum(track.added - len(track.spans) for track in self._tracks)

    def stage_costs(self) -> dict[str, float]:
        """Mean seconds of a frame in each stage that is processing."""
        sums: dict[str, float] = {}
        journeys = self.journeys
        for journey in journeys:
            for name, seconds in journey.stages:
                if name != "wait":
                    sums[name] = sums.get(name, 0.0) + seconds
        return {name: total / len(journeys) for name, total in sums.items()}

    def span_costs(self) -> dict[str, float]:
        """Seconds in each marked span over all threads, without those of marked spans within it."""
        sums: dict[str, float] = {}
        for track in self.tracks:
            for name, seconds in _self_times(list(track.spans)):
                sums[name] = sums.get(name, 0.0) + seconds
        return sums


def _self_times(spans: list[Span]) -> Iterator[tuple[str, float]]:
    """Each span's own time; spans of one thread lie within or beside each other."""
    open_spans: list[tuple[Span, int]] = []

    def close() -> tuple[str, float]:
        done, within = open_spans.pop()
        took = done.ended_ns - done.begun_ns
        if open_spans:
            outer, inner = open_spans[-1]
            open_spans[-1] = (outer, inner + took)
        return done.name, (took - within) / NS

    for one in sorted(spans, key=lambda span: (span.begun_ns, -span.ended_ns)):
        while open_spans and open_spans[-1][0].ended_ns <= one.begun_ns:
            yield close()
        open_spans.append((one, 0))
    while open_spans:
        yield close()
