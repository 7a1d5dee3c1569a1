"""This robot's own engine, as a side that a router may ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.routing.asked import Asked
from edge_ai.routing.side import Call, Outcome, Side, Source

Submit = Callable[[Source], None]


class EdgeSide(Side):
    """Frames go to an engine that answers the newest one of each camera; what it says of them is told here.

    Args:
        submit: hands a frame to the engine; returns at once.

    Example:
        >>> side = EdgeSide(lambda frame: pipeline.submit(frame))                               # doctest: +SKIP
        >>> pipeline = Pipeline(model, side.answered, side.failed, on_dropped=side.dropped)     # doctest: +SKIP
    """

    name = "edge"

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._asked = Asked()

    @property
    def unready(self) -> str:
        return ""

    def expected_bytes(self, frame: Source) -> float:
        return 0.0

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> Call:
        camera, at_ns = frame.camera, frame.header.steady_ns
        if self._asked.add(camera, at_ns, done):
            try:
                self._submit(frame)
            except Exception as error:
                self._asked.end(camera, at_ns, Outcome(error=error))
        return Forget(partial(self._asked.forget, camera, at_ns))

    def answered(self, result: Result, frame: Frame) -> None:
        """The engine has an answer. It may differ from what was asked in width and height, known only now."""
        self._asked.answer(frame.camera, frame.header.steady_ns, Outcome(result=result))

    def failed(self, frame: Source, error: Exception) -> None:
        """The engine has none, and says why."""
        self._asked.end(frame.camera, frame.header.steady_ns, Outcome(error=error))

    def dropped(self, frame: Frame | PendingFrame) -> None:
        """The engine will not look at it."""
        self._asked.end(frame.camera, frame.header.steady_ns, Outcome(dropped=True))


class Forget:
    """A frame that is inferred cannot be called back; only nobody waits for it any more.

    Args:
        forget: called to give it up; harmless when it has ended.
    """

    def __init__(self, forget: Callable[[], None]) -> None:
        self.cancel = forget
