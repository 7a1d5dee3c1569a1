"""The contract of whoever answers frames: the robot's own engine, a server, a ROS service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, PendingFrame, Result

Source = Frame | PendingFrame


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended; exactly one of result, error and dropped says so.

    Attributes:
        result: the answer, its header that of the frame.
        error: why there is none.
        dropped: it was given up for a newer frame before any work was spent on it: nobody's fault.
        sent: bytes that went over a link.
        service: seconds the side says it worked, without the link; NaN: it does not say.
    """

    result: Result | None = None
    error: Exception | None = None
    dropped: bool = False
    sent: int = 0
    service: float = float("nan")


class Call(Protocol):
    """A request under way."""

    def cancel(self) -> None:
        """Give it up, freeing what it holds; harmless when it has ended. Its ``done`` may or may not be called."""


class Side(Protocol):
    """Answers frames, each on threads of its own.

    Attributes:
        name: as results carry it in ``source``: "edge", or the endpoint's name.
    """

    name: str

    @property
    def unready(self) -> str:
        """Why it cannot be asked for now, such as a server never reached yet; empty if it can."""

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> Call:
        """Begin to answer; returns at once and never raises.

        Args:
            frame: what to answer.
            deadline_ns: steady time after which the answer is of no use; the side then reports an error by itself.
            done: called once, from any thread, also from within this call.
        """

    def expected_bytes(self, frame: Source) -> float:
        """Bytes a request for this frame is expected to send over a link; 0: none."""


class NoCloud:
    """There is no server: a router with this one leaves every frame to the edge."""

    name = ""
    unready = "no server is configured"

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> Call:
        done(Outcome(error=EdgeAIError(self.unready)))
        return self

    def cancel(self) -> None:
        """Nothing is under way."""

    def expected_bytes(self, frame: Source) -> float:
        return 0.0

    def open(self) -> None:
        """There is nothing to open."""

    def ping(self, done: Callable[[float | Exception], None]) -> None:
        """There is nobody to hear."""

    def adjust(self, params: object) -> None:
        """There is nothing to adjust."""

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """Nobody answers."""

    def close(self) -> None:
        """There is nothing to close."""
