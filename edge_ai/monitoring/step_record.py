"""One step of a ladder and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from edge_ai.core.clock import NS
from edge_ai.monitoring.actions import Action
from edge_ai.monitoring.effects import Effect
from edge_ai.monitoring.steps import Step, StepState, StepStatus, target_of

LONGEST_BACKOFF = 16
_NO_PAUSE = 0.05  # s: not twice within one look


@dataclass(frozen=True, slots=True)
class Deeds:
    """One action that was done, and the one that takes it back."""

    did: Action
    undo: Action


@dataclass(slots=True)
class StepRecord:
    """Attributes:
    step: what it is about.
    taken_at: steady time when it was taken; None: it is not.
    turn: the greater, the later it was taken.
    triggers: alerts that called for it, when it was taken or since.
    deeds: what is to be undone, in the order in which it was done; empty: nothing.
    effect: what it brought.
    measuring: the effect is not final yet.
    backoff: by how much its recover time is stretched.
    undone_at: steady time of an undo that is on probation; None: none is.
    well_since: steady time since when its alerts are clear; None: they are not.
    fit_since: the same, and nothing measured speaks against undoing it.
    held_until: steady time before which it is not tried again after a refusal.
    refusals: in a row.
    refusal: the last one, in words; empty: it was not refused.
    seen_held: its `released` conditions were seen not to hold since it was taken.
    note: why it stays or is not taken, in words.
    """

    step: Step
    taken_at: int | None = None
    turn: int = 0
    triggers: tuple[str, ...] = ()
    deeds: tuple[Deeds, ...] = ()
    effect: Effect = field(default_factory=Effect)
    measuring: bool = False
    backoff: int = 1
    undone_at: int | None = None
    well_since: int | None = None
    fit_since: int | None = None
    held_until: int = 0
    refusals: int = 0
    refusal: str = ""
    seen_held: bool = False
    note: str = ""
    _state: StepState = StepState.READY
    _stamp: int = 0

    @property
    def taken(self) -> bool:
        """Whether it is."""
        return self.taken_at is not None

    @property
    def targets(self) -> set[tuple[str, ...]]:
        """What undoing it would change."""
        return {target_of(deeds.undo) for deeds in self.deeds}

    def take(self, now: int, turn: int, deeds: tuple[Deeds, ...], triggers: tuple[str, ...], effect: Effect) -> None:
        """It is taken."""
        self.taken_at, self.turn, self.deeds, self.triggers, self.effect = now, turn, deeds, triggers, effect
        self.well_since = self.fit_since = self.undone_at = None
        self.refusal, self.refusals, self.seen_held, self.note = "", 0, False, ""
        self.measuring = not effect.after

    def leave(self, now: int, *, probation: bool) -> None:
        """It is undone; on probation, when a machine thought that all was well."""
        self.undone_at = now if probation else None
        self.taken_at, self.deeds, self.triggers, self.note = None, (), (), ""
        self.refusal, self.refusals, self.well_since, self.fit_since = "", 0, None, None

    def refuse(self, now: int, why: str, pause: float) -> None:
        """It could not be taken, or not be undone."""
        self.refusals += 1
        self.refusal = why
        longer = min(2 ** (self.refusals - 1), LONGEST_BACKOFF)
        self.held_until = now + round((_NO_PAUSE if self.step.urgent else pause * longer) * NS)

    def judge(self, now: int, broken: bool) -> None:
        """End the probation of an undo: a relapse doubles the time to recover, none halves it.

        The more often it relapsed, the longer it is on probation.
        """
        if self.undone_at is None:
            return
        if broken:
            self.backoff, self.undone_at = min(self.backoff * 2, LONGEST_BACKOFF), None
        elif now - self.undone_at >= self.step.relapse * self.backoff * NS:
            self.backoff, self.undone_at = max(self.backoff // 2, 1), None

    def status(self, stamp_ns: int, pinned: Collection[str], vetoed: Collection[str]) -> StepStatus:
        """How it stands, for the operator."""
        state, detail = self._standing(pinned, vetoed)
        if state != self._state or not self._stamp:
            self._state, self._stamp = state, stamp_ns
        return StepStatus(self.step.name, state, detail, self._stamp, self.effect.before, self.effect.after)

    def _standing(self, pinned: Collection[str], vetoed: Collection[str]) -> tuple[StepState, str]:
        name = self.step.name
        cause = f"for {', '.join(self.triggers)}" if self.triggers else ""
        if self.taken:
            stuck = f"cannot be undone: {self.refusal}" if self.refusal else ""
            detail = "; ".join(part for part in (cause, stuck or self.note) if part)
            if name in pinned:
                return StepState.PINNED, detail
            return (StepState.WAITING if self.step.by_operator else StepState.TAKEN), detail
        if name in vetoed:
            return StepState.VETOED, "vetoed by the operator"
        if self.refusal:
            return StepState.REFUSED, self.refusal
        return StepState.READY, self.note
