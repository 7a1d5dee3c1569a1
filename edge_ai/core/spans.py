"""Names for what takes time, given where it happens; nothing is written down until somebody asks for it.

Example:
    >>> @profiled
    ... def track(boxes): ...
    >>> with span("upload", images=4):
    ...     track([])

While nobody records, a mark costs a look at one variable.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast, overload

from edge_ai.core.errors import EdgeAIError

F = TypeVar("F", bound=Callable[..., Any])


class SpanSink(Protocol):
    """Writes spans down; called from any thread, in the middle of the work that is looked at."""

    def add(self, name: str, begun_ns: int, ended_ns: int, details: Mapping[str, object]) -> None:
        """Something took from one steady time to another on the calling thread, ns."""

    def journey(self, begun_ns: int, stages: Mapping[str, float]) -> None:
        """A frame was captured at a steady time, ns, and went through stages, in order, of so many seconds each."""


_sink: SpanSink | None = None
_changing = threading.Lock()


def recording() -> SpanSink | None:
    """Who writes spans down just now; None: nobody."""
    return _sink


def begin_recording(sink: SpanSink) -> None:
    """Hand spans to a sink from now on; those under way are left out.

    Raises:
        EdgeAIError: another recording is under way.
    """
    global _sink  # noqa: PLW0603 - marks all over the code look at this one place
    with _changing:
        if _sink is not None:
            raise EdgeAIError("spans are recorded already", wanted="one recording at a time", mend="wait for its end")
        _sink = sink


def end_recording(sink: SpanSink) -> None:
    """Hand nothing more to a sink; spans that are under way are left out. Harmless for one that records nothing."""
    global _sink  # noqa: PLW0603
    with _changing:
        if _sink is sink:
            _sink = None


class span:  # noqa: N801 - used as a word of the language: with span("upload"):
    """What happens in a block; each use is an object of its own.

    Args:
        name: of the span.
        details: shown with it; simple values.
    """

    __slots__ = ("_begun", "_details", "_name")

    def __init__(self, name: str, **details: object) -> None:
        self._name, self._details, self._begun = name, details, 0

    def __enter__(self) -> None:
        self._begun = time.monotonic_ns() if _sink is not None else 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sink = _sink
        if sink is not None and self._begun:
            sink.add(self._name, self._begun, time.monotonic_ns(), self._details)


_NOTHING: Mapping[str, object] = {}


@overload
def profiled(function: F) -> F: ...
@overload
def profiled(*, name: str) -> Callable[[F], F]: ...
def profiled(function: F | None = None, *, name: str = "") -> F | Callable[[F], F]:
    """Make each call of a function a span.

    Args:
        function: what runs on one thread from its call to its return.
        name: of the spans; default the function's qualified name.

    Raises:
        EdgeAIError: a coroutine or a generator, whose calls return before their work is done.
    """
    if function is None:
        return cast("Callable[[F], F]", functools.partial(profiled, name=name))
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(kind(function) for kind in kinds):
        raise EdgeAIError(
            f"profiled '{function.__qualname__}'",
            got="a coroutine or generator",
            wanted="a function that returns when its work is done",
            mend="use `with span(...)` around what does not await or yield",
        )
    called, label = function, name or function.__qualname__

    @functools.wraps(called)
    def run(*args: Any, **kwargs: Any) -> Any:
        if _sink is None:
            return called(*args, **kwargs)
        begun = time.monotonic_ns()
        try:
            return called(*args, **kwargs)
        finally:
            sink = _sink
            if sink is not None:
                sink.add(label, begun, time.monotonic_ns(), _NOTHING)

    return cast("F", run)
