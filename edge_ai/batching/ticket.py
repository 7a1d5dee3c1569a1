"""What a batcher hands out for each item: a way to wait for what becomes of it, or to have it forgotten."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from edge_ai.core.errors import InferenceError

In = TypeVar("In")
Out = TypeVar("Out")
Reason = Literal["replaced", "rate", "expired", "cancelled", "full", "closed"]
"""Why an item was dropped: a newer one of its source took its place; its source sent more than its share; its deadline
could not be met; whoever sent it took it back; too many of its source wait already; the batcher has stopped."""
State = Literal["waiting", "running", "done", "failed", "dropped"]

log = logging.getLogger(__name__)


class Ticket(Generic[In, Out]):
    """One submitted item. It ends exactly once, as "done", "failed" or "dropped".

    Attributes:
        item: what was submitted.
        source: whose it is.
        since_ns: steady time from which it counts as waiting: its arrival, or that of the item it took the place of.
        deadline_ns: steady time by which its result must be there, or None.
        state: where it stands.
        output: the result once it is "done", else None.
        error: why it "failed", else None.
        reason: why it was "dropped", else None.
    """

    __slots__ = (
        "_drop",
        "_event",
        "_on_done",
        "deadline_ns",
        "error",
        "item",
        "output",
        "reason",
        "since_ns",
        "source",
        "state",
    )

    def __init__(
        self,
        item: In,
        source: str,
        since_ns: int,
        deadline_ns: int | None,
        on_done: Callable[[Ticket[In, Out]], None] | None,
        drop: Callable[[Ticket[In, Out]], bool],
    ) -> None:
        self.item, self.source, self.since_ns, self.deadline_ns = item, source, since_ns, deadline_ns
        self.state: State = "waiting"
        self.output: Out | None = None
        self.error: Exception | None = None
        self.reason: Reason | None = None
        self._on_done, self._drop = on_done, drop
        self._event: threading.Event | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ("done", "failed", "dropped")

    def cancel(self) -> bool:
        """Take the item back. It costs nothing then.

        Returns:
            False if it is too late: it runs already, or has ended.
        """
        return self._drop(self)

    def result(self, timeout: float | None = None) -> Out:
        """Wait for the result.

        Args:
            timeout: seconds to wait at most; None waits for as long as it takes.

        Raises:
            TimeoutError: it has not ended by then.
            InferenceError: it was dropped; says why.
            Exception: it failed; what the runner raised.
        """
        self._event = event = self._event or threading.Event()
        # `end` sets the state before it looks for an event: one of the two always sees what the other did.
        if not self.ended and not event.wait(timeout) and not self.ended:
            raise TimeoutError
        if self.error is not None:
            raise self.error
        if self.state == "dropped":
            raise InferenceError(f"an item of source {self.source!r} was dropped", got=self.reason)
        return self.output  # type: ignore[return-value]

    def end(self, state: State) -> None:
        """Wake whoever waits and call back. For the batcher alone, which has set the outcome before."""
        self.state = state
        if self._event is not None:
            self._event.set()
        if self._on_done is not None:
            try:
                self._on_done(self)
            except Exception:
                log.exception("handing on a result of source %r failed", self.source)
