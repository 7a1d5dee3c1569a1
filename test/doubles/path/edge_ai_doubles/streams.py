"""Streams, events and graphs: work waits in its stream until somebody synchronises; who forgets to reads old data."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from edge_ai_doubles import contexts, state
from edge_ai_doubles.errors import (
    CAPTURE_INVALIDATED,
    CAPTURE_ISOLATION,
    CAPTURE_UNMATCHED,
    CAPTURE_UNSUPPORTED,
    CAPTURE_WRONG_THREAD,
    CAPTURED_EVENT,
    ILLEGAL_ADDRESS,
    INVALID_HANDLE,
    INVALID_VALUE,
    CudaError,
)
from edge_ai_doubles.state import NOW

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2
Work = Callable[[], None]


class Capture:
    """What a stream records while it captures."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.thread = threading.get_ident()
        self.works: list[Work] = []
        self.valid = True


class Stream:
    """A queue of work in one context.

    Args:
        context: whose it is.
        blocking: whether the default stream waits for it.
    """

    def __init__(self, context: contexts.Context, blocking: bool = True) -> None:
        self.context = context
        self.blocking = blocking
        self.queue: deque[Work] = deque()
        self.enqueued = self.done = 0
        self.capture: Capture | None = None
        self.handle = state.handle(self, 2)

    def enqueue(self, work: Work) -> int:
        """Put work in the queue, or in the record while capturing; its number in the queue."""
        if self.capture:
            if not self.capture.valid:
                raise CudaError(CAPTURE_INVALIDATED)
            self.capture.works.append(work)
        else:
            self.queue.append(work)
            self.enqueued += 1
        return self.enqueued

    def step(self) -> None:
        """Do the oldest piece of work; one that fails is the end of the context."""
        work = self.queue.popleft()
        self.done += 1
        try:
            work()
        except CudaError as error:
            state.lose(error.code)
            raise

    def run(self, number: int | None = None) -> None:
        """Do all work, or that up to a number."""
        while self.queue and (number is None or self.done < number):
            self.step()

    def refuse_capture(self) -> None:
        """What would wait for the stream ends its capture."""
        if self.capture:
            self.capture.valid = False
            raise CudaError(CAPTURE_UNSUPPORTED)


class Event:
    """A mark in a stream."""

    def __init__(self, context: contexts.Context, timing: bool = True) -> None:
        self.context = context
        self.timing = timing
        self.stream: Stream | None = None
        self.number = 0
        self.time: float | None = None
        self.captured = False
        self.handle = state.handle(self, 3)

    def record(self, stream: Stream) -> None:
        """Set the mark behind all work that is in the stream now."""
        if stream.context is not self.context:
            raise CudaError(INVALID_HANDLE)
        self.time = None
        self.captured = stream.capture is not None
        self.stream = stream
        self.number = stream.enqueue(self._stamp)

    def _stamp(self) -> None:
        self.time = time.perf_counter()

    def done(self) -> bool:
        """Whether the stream has come to the mark; an event never recorded is done."""
        if self.captured:
            raise CudaError(CAPTURED_EVENT)
        return self.stream is None or self.stream.done >= self.number

    def poll(self) -> bool:
        """As `done`, and the GPU gets on by one piece of work."""
        if self.done():
            return True
        assert self.stream is not None
        self.stream.step()
        return False

    def wait(self) -> None:
        """Let the stream come to the mark."""
        if not self.done():
            assert self.stream is not None
            self.stream.run(self.number)

    def since(self, earlier: Event) -> float:
        """Milliseconds between two marks."""
        if not (self.timing and earlier.timing) or self.stream is None or earlier.stream is None:
            raise CudaError(INVALID_HANDLE)
        for event in (earlier, self):
            if not event.done():
                raise CudaError(600)
        assert self.time is not None
        assert earlier.time is not None
        return (self.time - earlier.time) * 1e3


class Graph:
    """What was captured."""

    def __init__(self, context: contexts.Context, works: list[Work]) -> None:
        self.context = context
        self.works = works
        self.handle = state.handle(self, 4)


class Executable:
    """A graph made ready; it stays when the graph goes."""

    def __init__(self, graph: Graph) -> None:
        self.context = graph.context
        self.works = list(graph.works)
        self.handle = state.handle(self, 5)

    def launch(self, stream: Stream) -> None:
        """Put all its work in a stream, with the addresses and shapes of the capture."""
        for work in self.works:
            stream.enqueue(work)


def all_streams() -> list[Stream]:
    """Every living stream."""
    return [thing for thing in NOW.handles.values() if isinstance(thing, Stream)]


def default(context: contexts.Context) -> Stream:
    """The context's default stream, which waits for the blocking ones."""
    found: Stream | None = getattr(context, "default_stream", None)
    if found is None:
        found = context.default_stream = Stream(context)  # type: ignore[attr-defined]
    return found


def look_up(handle: int, context: contexts.Context | None) -> Stream:
    """The stream of a handle, as it is used in a context.

    Args:
        handle: 0, 1 and 2 are the default stream.
        context: the thread's; None if it has none.
    """
    if handle in (0, 1, 2):
        if context is None:
            raise CudaError(INVALID_HANDLE)
        stream = default(context)
        for other in all_streams():
            if other.blocking and other.context is context and other is not stream:
                other.run()
        return stream
    stream = look_up_kind(handle, Stream)
    if stream.context is not context or not stream.context.alive:
        raise CudaError(INVALID_HANDLE)
    return stream


def look_up_kind(handle: int, kind: type) -> object:
    """The event, graph or stream of a handle."""
    thing = NOW.handles.get(handle)
    if not isinstance(thing, kind):
        raise CudaError(INVALID_HANDLE)
    return thing


def run_all() -> None:
    """Wait for the whole device."""
    for stream in all_streams():
        stream.refuse_capture()
        stream.run()


def refuse_unsafe() -> None:
    """Calls that may wait for the device, such as an allocation, end a capture that forbids them."""
    for stream in all_streams():
        capture = stream.capture
        if capture and (
            capture.mode == GLOBAL or (capture.mode == THREAD_LOCAL and capture.thread == threading.get_ident())
        ):
            capture.valid = False
            raise CudaError(CAPTURE_UNSUPPORTED)


def begin_capture(stream: Stream, mode: int) -> None:
    """Record from now on instead of queueing."""
    if stream.capture or stream is default(stream.context):
        raise CudaError(CAPTURE_UNSUPPORTED)
    if mode not in (GLOBAL, THREAD_LOCAL, RELAXED):
        raise CudaError(INVALID_VALUE)
    stream.capture = Capture(mode)


def end_capture(stream: Stream) -> Graph:
    """The record as a graph; raise if something forbidden was done meanwhile."""
    capture = stream.capture
    if capture is None:
        raise CudaError(CAPTURE_UNMATCHED)
    if capture.mode != RELAXED and capture.thread != threading.get_ident():
        raise CudaError(CAPTURE_WRONG_THREAD)
    stream.capture = None
    if not capture.valid:
        raise CudaError(CAPTURE_INVALIDATED)
    return Graph(stream.context, capture.works)


def wait_event(stream: Stream, event: Event) -> None:
    """Let a stream's later work come after an event of another stream."""
    if event.captured or stream.capture:
        if stream.capture is None or event.stream is not stream:
            if stream.capture:
                stream.capture.valid = False
            raise CudaError(CAPTURE_ISOLATION)
        return
    other, number = event.stream, event.number
    if other is not None and other is not stream:
        stream.enqueue(lambda: other.run(number))


def illegal() -> CudaError:
    """The error of a kernel that uses memory which is not there."""
    return CudaError(ILLEGAL_ADDRESS)
