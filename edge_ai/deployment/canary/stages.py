"""When a staged rollout goes on, goes back or asks: a pure function of what was seen, real or simulated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from edge_ai.deployment.judge.judge import Judgement, Verdict

LOOKS = 4
"""At the limits in an interval."""
_CLOSE = 1e-9  # shares are decimal fractions: 0.1 of 10 robots is one robot


@dataclass(frozen=True, slots=True)
class Stages:
    """The way of a release through a fleet.

    Attributes:
        shares: of the robots that run it, by stage, 0 to 1, growing; the last is 1.
        interval: between two evaluations, s.
        least: how long a stage is seen at least, with data on everything, before the next begins, s.
        patience: how long a stage is watched without a decision before people are asked, s.
    """

    shares: tuple[float, ...] = (0.10, 0.25, 0.50, 1.0)
    interval: float = 30.0
    least: float = 300.0
    patience: float = 3600.0

    def size(self, stage: int, robots: int) -> int:
        """How many of so many robots run the release in a stage, at least one."""
        return min(robots, max(1, math.ceil(self.shares[stage] * robots - _CLOSE)))

    def after(self, stage: int, robots: int) -> int | None:
        """The next stage that has more robots; None: all have it."""
        size = self.size(stage, robots)
        later = range(stage + 1, len(self.shares))
        return next((number for number in later if self.size(number, robots) > size), None)


class Action(Enum):
    """What is done after an evaluation."""

    WAIT = "wait"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """One look at the limits; each line names its criterion and the robots.

    Attributes:
        breached: what is beyond its limit.
        unknown: what there is no data for, or not enough to be sure.
    """

    breached: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """A stage as far as it was watched.

    Attributes:
        limits: the newest look.
        judgement: of all evidence of the stage; None: no robots are left to compare with, the limits alone decide.
        seen: how long every limit was known to be kept, s.
        watched: how long it was watched, with data or without, s.
    """

    limits: LimitCheck = field(default_factory=LimitCheck)
    judgement: Judgement | None = None
    seen: float = 0.0
    watched: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, and why in words."""

    action: Action
    reason: str


def decide(stages: Stages, watch: Watch) -> Decision:
    """What follows from a stage so far.

    A breached limit or a rejecting judge takes the release back at once. Promotion needs all of: every limit known to
    be kept now, the least time seen, and a judge who promotes. Whatever stays open past the patience holds.
    """
    limits, judgement = watch.limits, watch.judgement
    if limits.breached:
        return Decision(Action.ROLL_BACK, f"limit breached: {'; '.join(limits.breached)}")
    if judgement is not None and judgement.verdict is Verdict.REJECT:
        return Decision(Action.ROLL_BACK, f"worse than the stable group: {judgement.reason}")
    missing = _missing(stages, watch)
    if not missing:
        compared = "nothing to compare with" if judgement is None else judgement.reason
        return Decision(Action.PROMOTE, f"within all limits for {watch.seen:g} s; {compared}")
    late = watch.watched >= stages.patience
    return Decision(Action.HOLD if late else Action.WAIT, f"undecided after {watch.watched:g} s: {missing}")


def _missing(stages: Stages, watch: Watch) -> str:
    """What a promotion still lacks, in words."""
    if watch.limits.unknown:
        return "; ".join(watch.limits.unknown)
    if watch.seen < stages.least - _CLOSE:
        return f"seen for {watch.seen:g} of {stages.least:g} s"
    if watch.judgement is not None and watch.judgement.verdict is not Verdict.PROMOTE:
        return watch.judgement.reason
    return ""
