"""A recording in Chrome's trace event format: Perfetto (ui.perfetto.dev) and chrome://tracing open it.

Spans are complete events ("X") on the track of their thread. Frames overlap, so each is a nestable asynchronous event
("b", "e") with its stages within. Times are microseconds on the steady clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_ai.monitoring.profiling.spans import Journey, SpanRecorder, Track

Event = dict[str, Any]


def trace_content(recorder: SpanRecorder, process: str, pid: int = 0) -> dict[str, Any]:
    """The content of a trace file.

    Args:
        recorder: stopped.
        process: name to show.
        pid: of the process; 0: this one.
    """
    pid = pid or os.getpid()
    events: list[Event] = [_name("process_name", pid, 0, process)]
    for track in recorder.tracks:
        events.append(_name("thread_name", pid, track.thread_id, track.name))
        events += _thread_events(track, pid)
    for number, journey in enumerate(recorder.journeys):
        events += _frame_events(journey, number, pid)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"seconds": f"{recorder.seconds:.3f}", "lost": str(recorder.lost)},
    }


def write_trace(recorder: SpanRecorder, process: str, path: Path) -> None:
    """Write a trace file.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(json.dumps(trace_content(recorder, process), default=str, separators=(",", ":")), encoding="utf-8")


def _name(kind: str, pid: int, tid: int, name: str) -> Event:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}}


def _thread_events(track: Track, pid: int) -> Iterator[Event]:
    # Outer spans first: of two that begin together the viewer nests the later one.
    for span in sorted(track.spans, key=lambda span: (span.begun_ns, -span.ended_ns)):
        yield {
            "ph": "X",
            "cat": "span",
            "name": span.name,
            "pid": pid,
            "tid": track.thread_id,
            "ts": span.begun_ns / 1e3,
            "dur": (span.ended_ns - span.begun_ns) / 1e3,
            **({"args": dict(span.details)} if span.details else {}),
        }


def _frame_events(journey: Journey, number: int, pid: int) -> Iterator[Event]:
    spans = list(journey.spans())
    # An id of this process: a plain one would be of the whole trace, and Perfetto shows those apart from it.
    common = {"cat": "frame", "id2": {"local": hex(number)}, "pid": pid, "tid": pid}
    yield {"ph": "b", "name": "frame", "ts": journey.begun_ns / 1e3, **common}
    for span in spans:
        yield {"ph": "b", "name": span.name, "ts": span.begun_ns / 1e3, **common}
        yield {"ph": "e", "name": span.name, "ts": span.ended_ns / 1e3, **common}
    yield {"ph": "e", "name": "frame", "ts": (spans[-1].ended_ns if spans else journey.begun_ns) / 1e3, **common}
