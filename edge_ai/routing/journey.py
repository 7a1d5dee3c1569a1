"""One frame on its way from the camera to its answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge_ai.core.clock import NS
from edge_ai.core.types import Result
from edge_ai.routing.alarms import Alarm
from edge_ai.routing.decision import Decision, Where
from edge_ai.routing.side import Call, Source


@dataclass(slots=True, eq=False)
class Request:
    """A side that was asked.

    Attributes:
        at_ns: steady time of asking.
        call: to give it up; None until `Side.ask` has come back.
        ended: whether its outcome is known, or nobody wants it any more.
    """

    at_ns: int
    call: Call | None = None
    ended: bool = False


@dataclass(slots=True, eq=False)
class Journey:
    """What is known of a frame under way.

    Attributes:
        frame: the frame.
        decision: who was to answer.
        deadline_ns: steady time when its answer is of no more use.
        decided_s: seconds the decision took.
        requests: by side asked.
        notes: what happened after the decision, in words.
        provisional: an answer of the edge for which a second opinion is sought.
        answer: the answer that counts.
        answered_by: the side it is from.
        answered_ns: when it came.
        closed: nothing more will become of it.
        spare: outcomes that come after the end are of interest: a trial of a side.
        probe: the trial of a side, such as a cloud that has failed before; the other one is asked at the same time.
        hedged: the edge was asked because the cloud was late.
        replaced: the edge took a newer frame instead.
        alarms: to be cancelled at the end.
        errors: why sides gave no answer.
    """

    frame: Source
    decision: Decision
    deadline_ns: int
    decided_s: float = 0.0
    requests: dict[Where, Request] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    provisional: Result | None = None
    answer: Result | None = None
    answered_by: Where = Where.EDGE
    answered_ns: int = 0
    closed: bool = False
    spare: bool = False
    probe: bool = False
    hedged: bool = False
    replaced: bool = False
    alarms: list[Alarm] = field(default_factory=list)
    errors: dict[Where, Exception] = field(default_factory=dict)

    @property
    def at_ns(self) -> int:
        """Steady time of capture."""
        return self.frame.header.steady_ns

    @property
    def over(self) -> bool:
        """Whether nothing of it is under way any more."""
        return self.closed and not (self.spare and self.pending())

    def left(self, now_ns: int) -> float:
        """Seconds until the deadline."""
        return (self.deadline_ns - now_ns) / NS

    def asked(self, where: Where) -> bool:
        """Whether a side was asked, whatever became of it."""
        return where in self.requests

    def pending(self, where: Where | None = None) -> bool:
        """Whether a side, or any, still works on it."""
        wanted = self.requests.values() if where is None else [self.requests[where]] if where in self.requests else []
        return any(not request.ended for request in wanted)

    def settle(self, result: Result, where: Where, now_ns: int) -> None:
        """This answer, of that side, counts."""
        words = "; ".join((self.decision.words, *self.notes))
        timings = {"route": self.decided_s, **result.timings}
        self.answer, self.answered_by, self.answered_ns = replace(result, reason=words, timings=timings), where, now_ns
        self.provisional = None
