"""Simulated time, and two sides that answer as a trace says: the router is the real one and notices no difference."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.cloud.traces import Trace
from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.types import Detections, Frame, FrameHeader, Result
from edge_ai.routing.cloud.base import CloudTimeoutError
from edge_ai.routing.side import Outcome, Source

Done = Callable[[Outcome], None]
_IMAGE = np.zeros((480, 640, 3), np.uint8)
_NOTHING = Detections()


class Event:
    """Something that is going to happen, unless it is cancelled."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> bool:
        """Whether that prevented it."""
        prevented, self.callback = self.callback is not None, None
        return prevented


class Events:
    """What `edge_ai.routing.alarms.Alarms` is to a robot, on a clock that jumps from one event to the next."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, Event]] = []
        self._count = 0

    def at(self, when_ns: int, callback: Callable[[], None]) -> Event:
        """Have ``callback`` called at a steady time."""
        event = Event(callback)
        heapq.heappush(self._heap, (max(when_ns, self.clock.steady_ns()), self._count, event))
        self._count += 1
        return event

    def start(self) -> None:
        """Nothing: `run` does it all."""

    def stop(self) -> None:
        """Nothing is left waiting."""
        self._heap.clear()

    def run(self, until_ns: int) -> None:
        """Let all happen up to a steady time, which it then is."""
        while self._heap and self._heap[0][0] <= until_ns:
            when, _, event = heapq.heappop(self._heap)
            callback, event.callback = event.callback, None
            if callback is not None:
                self._to(when)
                callback()
        self._to(until_ns)

    def _to(self, when_ns: int) -> None:
        self.clock.advance((when_ns - self.clock.steady_ns()) / NS)


@dataclass
class _Request:
    """A request that one of the sides has."""

    frame: Source
    deadline_ns: int
    done: Done
    events: list[Event] = field(default_factory=list)
    on_cancel: Callable[[], None] = lambda: None

    def cancel(self) -> None:
        for event in self.events:
            event.cancel()
        self.on_cancel()


class EdgeOfTrace:
    """One engine that takes one frame at a time; of those that wait the newest."""

    name = "edge"
    unready = ""

    def __init__(self, trace: Trace, events: Events) -> None:
        self._trace, self._events = trace, events
        self._busy = False
        self._waiting: _Request | None = None
        self.ran: set[int] = set()

    def ask(self, frame: Source, deadline_ns: int, done: Done) -> _Request:
        request = _Request(frame, deadline_ns, done)
        if not self._busy:
            self._run(request)
            return request
        replaced, self._waiting = self._waiting, request
        if replaced is not None:
            replaced.done(Outcome(dropped=True))
        request.on_cancel = lambda: self._forget(request)
        return request

    def expected_bytes(self, frame: Source) -> float:
        return 0.0

    def _run(self, request: _Request) -> None:
        self._busy, seconds = True, float(self._trace.edge[request.frame.header.index])
        request.on_cancel = lambda: None  # an inference that has begun is not stopped, nor are its joules got back
        self.ran.add(request.frame.header.index)
        answered = self._events.at(self._events.clock.steady_ns() + round(seconds * NS), lambda: None)
        answered.callback = lambda: self._end(request, seconds)

    def _end(self, request: _Request, seconds: float) -> None:
        self._busy = False
        following, self._waiting = self._waiting, None
        if following is not None:
            self._run(following)
        request.done(Outcome(result=_result(request.frame, self.name), service=seconds))

    def _forget(self, request: _Request) -> None:
        if self._waiting is request:
            self._waiting = None


class CloudOfTrace:
    """A server behind a link that carries one image after the other."""

    name = "sim://server"
    unready = ""

    def __init__(self, trace: Trace, events: Events) -> None:
        self._trace, self._events = trace, events
        self._free_ns = 0
        self.sent: dict[int, float] = {}

    def ask(self, frame: Source, deadline_ns: int, done: Done) -> _Request:
        trace, index, now = self._trace, frame.header.index, self._events.clock.steady_ns()
        request = _Request(frame, deadline_ns, done)
        begins = max(now, self._free_ns)
        whole, rest = float(trace.transfer[index]), float(trace.rtt[index] + trace.service[index])
        ends = begins + whole * NS
        self._free_ns = round(min(ends, deadline_ns))
        self.sent[index] = trace.payload
        answer_ns = ends + rest * NS
        if answer_ns <= deadline_ns:
            outcome = Outcome(result=_result(frame, self.name), sent=int(trace.payload), service=trace.service[index])
            request.events.append(self._events.at(round(answer_ns), lambda: done(outcome)))
        else:
            late = CloudTimeoutError(self.name, got="no answer in time", wanted="one", mend="nothing: it is simulated")
            request.events.append(self._events.at(deadline_ns, lambda: done(Outcome(error=late))))
        return request

    def expected_bytes(self, frame: Source) -> float:
        return self._trace.payload

    def ping(self, timeout: float, done: Callable[[float | CloudTimeoutError], None]) -> None:
        """As a server's client has it."""
        now = self._events.clock.steady_ns()
        index = min(len(self._trace) - 1, int((now - START) / NS / self._trace.period))
        rtt = float(self._trace.rtt[index])
        if math.isfinite(rtt) and rtt < timeout:
            self._events.at(now + round(rtt * NS), lambda: done(rtt))
        else:
            late = CloudTimeoutError(self.name, got="no answer in time", wanted="one", mend="nothing: it is simulated")
            self._events.at(now + round(timeout * NS), lambda: done(late))


START = 5 * NS
"""Steady time at which a trace begins."""


def frame_of(trace: Trace, index: int) -> Frame:
    """The frame that is captured at a place of the trace."""
    steady = START + round(index * trace.period * NS)
    return Frame(FrameHeader(steady, steady, "camera", index, 640, 480), _IMAGE)


def _result(frame: Source, source: str) -> Result:
    return Result(frame.header, _NOTHING, "replayed", "1", source=source)
