"""What a router tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge_ai.routing.decision import Decision, SideState, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.watch import SideCounts, SideWatch


def _none() -> dict[Where, int]:
    return dict.fromkeys(Where, 0)


@dataclass(slots=True)
class RouterCounts:
    """What became of the frames, since the router was made.

    Attributes:
        decisions: frames by the side they were to go to.
        answers: answers handed on, by the side they are from.
        exploring: decisions that were trials.
        hedged: frames of a late cloud that the edge was asked for as well.
        hedges_won: of these, how often the edge was first.
        hedges_refused: late frames not hedged because there were too many.
        failovers: frames asked of the other side because the first one failed.
        second_opinions: answers of the edge about which the cloud was asked.
        overtaken: frames given up because a newer answer of their camera has left.
        expired: frames without an answer at their deadline.
        failed: frames that no side answered.
        dropped: frames the edge dropped for newer ones.
        repeated: frames that came twice or out of order.
    """

    decisions: dict[Where, int] = field(default_factory=_none)
    answers: dict[Where, int] = field(default_factory=_none)
    exploring: int = 0
    hedged: int = 0
    hedges_won: int = 0
    hedges_refused: int = 0
    failovers: int = 0
    second_opinions: int = 0
    overtaken: int = 0
    expired: int = 0
    failed: int = 0
    dropped: int = 0
    repeated: int = 0

    def decided(self, decision: Decision) -> None:
        """Count a decision."""
        self.decisions[decision.where] += 1
        self.exploring += decision.exploring


@dataclass(frozen=True, slots=True)
class SideStatus:
    """One side.

    Attributes:
        name: as results carry it.
        state: what policies see of it.
        breaker: "closed", "open", "half-open" or "recovering".
        counts: what became of its requests.
    """

    name: str
    state: SideState
    breaker: str
    counts: SideCounts


@dataclass(frozen=True, slots=True)
class RouterStatus:
    """The router at one moment.

    Attributes:
        policy: its name.
        override: "auto", or the operator's choice.
        counts: of frames.
        edge: this robot's engine.
        cloud: the server.
        bandwidth: of the link upwards, bytes/s; NaN: not known.
        rtt: of a request without an image, s; NaN: not known.
    """

    policy: str
    override: str
    counts: RouterCounts
    edge: SideStatus
    cloud: SideStatus
    bandwidth: float
    rtt: float

    def line(self) -> str:
        """The state in one line for a log."""
        counts, answers = self.counts, self.counts.answers
        parts = [
            f"answers edge {answers[Where.EDGE]} ({_ms(self.edge.state.expected)}), "
            f"cloud {answers[Where.CLOUD]} ({_ms(self.cloud.state.expected)})",
            f"hedged {counts.hedged}, failovers {counts.failovers}, second opinions {counts.second_opinions}",
            f"overtaken {counts.overtaken}, expired {counts.expired}, failed {counts.failed}",
            f"cloud {self.cloud.breaker}" + (f": {self.cloud.state.why}" if self.cloud.state.why else ""),
        ]
        return " | ".join(parts)

    @classmethod
    def of(
        cls, params: RouterParams, counts: RouterCounts, watches: Mapping[Where, SideWatch], now_ns: int
    ) -> RouterStatus:
        """Taken now; a copy that no later frame changes."""
        mine = replace(counts, decisions=dict(counts.decisions), answers=dict(counts.answers))
        edge, cloud = (_side(watches[where], now_ns) for where in (Where.EDGE, Where.CLOUD))
        bandwidth, rtt = watches[Where.CLOUD].way(now_ns)
        return cls(params.policy, params.override, mine, edge, cloud, bandwidth, rtt)


def _ms(seconds: float) -> str:
    return "-" if seconds != seconds else f"{seconds * 1e3:.0f} ms"


def _side(watch: SideWatch, now_ns: int) -> SideStatus:
    why = watch.side.unready or watch.full or watch.breaker.why * (not watch.breaker.ready)
    return SideStatus(watch.side.name, watch.state(why, now_ns), watch.breaker.state, replace(watch.counts))
