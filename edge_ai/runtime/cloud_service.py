"""What a cloud_node does with a request, without ROS: admit or refuse it, ask, and say what came of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from typing import Literal

from edge_ai.core.clock import Clock
from edge_ai.core.errors import ImageError
from edge_ai.core.params import Params, param
from edge_ai.core.types import Result
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import CloudBusyError, CloudTimeoutError, CloudUnreachableError
from edge_ai.routing.side import Outcome, Side, Source

MOST_IN_FLIGHT = 1024
"""The most that `CloudServiceParams.max_in_flight` may be: whoever answers has room for so many."""


class CloudServiceParams(Params):
    """How others' frames are answered."""

    answer_with: Literal["auto", "model", "gateway"] = param(
        "auto",
        "Who answers: a model of this machine (inference.), or a server behind it (cloud.); auto: that, if cloud.url "
        "names one.",
    )
    max_in_flight: int = param(
        16, "Requests in work or waiting at once; more are refused as overload.", ge=1, le=MOST_IN_FLIGHT, live=True
    )
    longest: float = param(
        2.0,
        "Time within which a request without a deadline is answered or refused.",
        unit="s",
        ge=0.01,
        le=60,
        live=True,
    )
    report_period: float = param(10.0, "Time between lines in the log; 0: none.", unit="s", ge=0, le=3600)


class Status(IntEnum):
    """How a request ended, numbered as in InferenceResponse."""

    OK = 0
    INVALID_REQUEST = 1
    UNKNOWN_MODEL = 2
    DEADLINE_EXCEEDED = 3
    OVERLOADED = 4
    FAILED = 5


Reply = Callable[[Status, str, Result | None], None]
"""Takes how a request ended, why, and its result if it is OK."""


class CloudService:
    """Thread-safe; answers as many requests at once as the parameters allow.

    Args:
        side: who answers.
        card: the only model there is.
        params: limits.
        clock: of deadlines.
    """

    def __init__(self, side: Side, card: ModelCard, params: CloudServiceParams, clock: Clock) -> None:
        self.params = params
        self._side, self._card, self._clock = side, card, clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._counts: Counter[Status] = Counter()

    @property
    def counts(self) -> Counter[Status]:
        """How many requests ended how."""
        with self._lock:
            return self._counts.copy()

    @property
    def in_flight(self) -> int:
        """Requests not answered yet."""
        return self._in_flight

    def refuse(self, status: Status, message: str, reply: Reply) -> None:
        """Answer a request that cannot be read."""
        with self._lock:
            self._counts[status] += 1
        reply(status, message, None)

    def ask(self, frame: Source, model: tuple[str, str], deadline_ns: int | None, reply: Reply) -> None:
        """Answer a request; returns at once.

        Args:
            frame: the image; its ``camera`` is the class of priority.
            model: name and version wanted; empty: any.
            deadline_ns: steady time; None: none was given.
            reply: called once, from any thread, also from within this call.
        """
        now, card = self._clock.steady_ns(), self._card
        due = now + round(self.params.longest * 1e9) if deadline_ns is None else deadline_ns
        name, version = model
        if name not in ("", card.name) or version not in ("", card.version):
            wanted = f"{name or card.name} {version}".strip()
            self.refuse(Status.UNKNOWN_MODEL, f"model '{wanted}' is not here; {card.name} {card.version} is", reply)
        elif due <= now:
            self.refuse(Status.DEADLINE_EXCEEDED, f"came {(now - due) / 1e6:.0f} ms after its deadline", reply)
        elif not self._admit():
            self.refuse(Status.OVERLOADED, f"{self.params.max_in_flight} requests are in work; try elsewhere", reply)
        else:
            self._side.ask(frame, due, lambda outcome: self._ended(outcome, due, reply))

    def _admit(self) -> bool:
        with self._lock:
            free = self._in_flight < self.params.max_in_flight
            self._in_flight += free
            return free

    def _ended(self, outcome: Outcome, due: int, reply: Reply) -> None:
        status, message = judged(outcome)
        late = self._clock.steady_ns() - due
        if status is Status.OK and late > 0:
            status, message = Status.DEADLINE_EXCEEDED, f"the answer came {late / 1e6:.0f} ms late"
        with self._lock:
            self._in_flight -= 1
            self._counts[status] += 1
        reply(status, message, outcome.result if status is Status.OK else None)


def judged(outcome: Outcome) -> tuple[Status, str]:
    """How an outcome is told to a client, and why."""
    error = outcome.error
    if outcome.result is not None:
        return Status.OK, ""
    if outcome.dropped:
        return Status.OVERLOADED, "more requests came at once than can be passed on; newer ones took its place"
    if isinstance(error, ImageError):
        return Status.INVALID_REQUEST, str(error)
    if isinstance(error, CloudTimeoutError):
        return Status.DEADLINE_EXCEEDED, str(error)
    if isinstance(error, CloudBusyError | CloudUnreachableError):
        return Status.OVERLOADED, str(error)
    return Status.FAILED, f"{type(error).__name__}: {error}"
