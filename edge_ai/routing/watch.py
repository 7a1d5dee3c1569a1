"""What the router knows of each side: how fast it answers, whether it is well, what it has in work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_ai.core.clock import NS
from edge_ai.core.errors import ImageError
from edge_ai.routing.breaker import Breaker
from edge_ai.routing.cloud.base import CloudTimeoutError
from edge_ai.routing.decision import Link, SideState
from edge_ai.routing.estimates import LatencyEstimate, LinkEstimate
from edge_ai.routing.side import Outcome, Side, Source

_FRESH_NS = NS // 4


@dataclass(slots=True)
class SideCounts:
    """What became of the requests to one side.

    Attributes:
        asked: requests sent.
        answered: answers in time to be looked at.
        failed: errors, late answers included.
        dropped: given up for a newer frame before they were begun.
        cancelled: given up because the other side was faster or the answer would have been stale.
        sent: bytes that went over the link.
    """

    asked: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    cancelled: int = 0
    sent: int = 0


class SideWatch:
    """Wraps a side with all that is measured of it. Not thread-safe: the router's lock holds.

    Args:
        side: who answers.
        breaker: leaves it alone when it fails.
        most: requests under way at once; 0: any number.
    """

    def __init__(self, side: Side, breaker: Breaker, most: int = 0) -> None:
        self.side, self.breaker, self.most = side, breaker, most
        self.counts = SideCounts()
        self.in_flight = 0
        self._latency, self._link = LatencyEstimate(), LinkEstimate()
        # What is learned is summed up when it is learned, not when the next frame waits for a decision.
        self._known, self._known_ns = self._latency.state(0), 0
        self._way, self._way_ns = self._link.state(0), 0

    @property
    def full(self) -> str:
        """Why no further request may be under way; empty if one may."""
        if not self.most or self.in_flight < self.most:
            return ""
        return f"{self.side.name} has {self.in_flight} requests under way already"

    def admit(self) -> str:
        """Why no request may be sent now; empty: one may, and then `asked` or `Breaker.abandoned` must follow."""
        unready = self.side.unready or self.full
        return unready or ("" if self.breaker.admits() else self.breaker.why or "the breaker is open")

    def state(self, why: str, now_ns: int) -> SideState:
        """What a policy is told; ``why`` as `admit` gave it."""
        expected, spread, p95, age = self._known
        age += (now_ns - self._known_ns) / NS
        return SideState(not why, why, expected, spread, p95, age, self.in_flight)

    def link(self, frame: Source, now_ns: int) -> Link:
        """What a policy is told of the way there."""
        bandwidth, rtt = self.way(now_ns)
        return Link(bandwidth, rtt, self.side.expected_bytes(frame))

    def way(self, now_ns: int) -> tuple[float, float]:
        """Bandwidth upwards in bytes/s and round trip in seconds; NaN: not known."""
        if now_ns - self._way_ns > _FRESH_NS:  # a round trip that nobody made lately is not known any more
            self._way, self._way_ns = self._link.state(now_ns), now_ns
        return self._way

    def asked(self) -> None:
        """A request was sent."""
        self.in_flight += 1
        self.counts.asked += 1

    def ended(self, outcome: Outcome, sent_ns: int, now_ns: int) -> None:
        """A request ended by itself."""
        took = (now_ns - sent_ns) / NS
        self.in_flight -= 1
        self.counts.sent += outcome.sent
        if outcome.result is not None:
            self.counts.answered += 1
            self._learn(self._latency.add, took, now_ns)
            self.breaker.success(sent_ns)
            if outcome.sent:
                self._link.transfer(outcome.sent, took, outcome.service, now_ns)
        elif outcome.dropped:
            self.counts.dropped += 1
            self.breaker.abandoned(sent_ns)
        else:
            self._failed(outcome.error, sent_ns, now_ns)

    def late(self, sent_ns: int, now_ns: int) -> None:
        """A request was given up because its answer would be of no use any more."""
        took = (now_ns - sent_ns) / NS
        self.in_flight -= 1
        self.counts.failed += 1
        self._learn(self._latency.late, took, now_ns)
        self.breaker.failure(f"no answer within {took:.3f} s", sent_ns)

    def overdue(self, sent_ns: int, now_ns: int) -> bool:
        """Whether a request is under way for longer than one is expected to be; not where nothing is known.

        Not than 95 of 100: of a link that was bad a while ago the percentile still tells when the mean has forgotten.
        """
        return (now_ns - sent_ns) / NS > self._known.expected

    def cancelled(self, sent_ns: int) -> None:
        """A request was given up through no fault of this side."""
        self.in_flight -= 1
        self.counts.cancelled += 1
        self.breaker.abandoned(sent_ns)

    def pinged(self, seconds: float, now_ns: int) -> None:
        """The way there and back took so long, without an image."""
        self._link.ping(seconds, now_ns)

    def _learn(self, lesson: Callable[[float, int], None], seconds: float, now_ns: int) -> None:
        lesson(seconds, now_ns)
        self._known, self._known_ns = self._latency.state(now_ns), now_ns

    def _failed(self, error: Exception | None, sent_ns: int, now_ns: int) -> None:
        self.counts.failed += 1
        # A torn image or a wrong request says nothing of the side's health.
        if isinstance(error, ImageError) or not getattr(error, "fault", True):
            self.breaker.abandoned(sent_ns)
            return
        if isinstance(error, CloudTimeoutError):
            self._learn(self._latency.late, (now_ns - sent_ns) / NS, now_ns)
        self.breaker.failure(str(error), sent_ns)
