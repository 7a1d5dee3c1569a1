"""Which step against overload is taken next, and which undone: decisions only, nothing is done here.

One change at a time, and none within the dwell time of the one before but for an emergency stop. Steps are tried in
their order; what was taken last is undone first. An undo needs its alerts to be clear for the step's recover time, and
nothing measured to speak against it; one that proves premature makes the next one wait twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from edge_ai.core.clock import NS
from edge_ai.monitoring.effects import OF_INTEREST, Effect, Recent, speaks_against
from edge_ai.monitoring.ladder_view import View, calling, causes, hindrance, trouble
from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.step_record import Deeds, StepRecord
from edge_ai.monitoring.steps import Plan, Step

_STILL_MEASURED = 3  # dwell times


class Way(Enum):
    """The direction of a change."""

    TAKE = "take"
    UNDO = "undo"
    VETO = "undo at the operator's wish"


@dataclass(frozen=True, slots=True)
class Change:
    """One step to take or to undo.

    Attributes:
        way: which of both.
        record: of the step.
        triggers: the alerts that call for it, when it is taken.
        before: what was measured up to now, when it is taken.
    """

    way: Way
    record: StepRecord
    triggers: tuple[str, ...] = ()
    before: Readings = field(default_factory=dict)


class Ladder:
    """The steps and the decisions about them.

    Args:
        plan: the steps and how patiently they are handled.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.records = [StepRecord(step) for step in plan.steps]
        self._recent = Recent()
        self._settled_at = 0
        self._turns = 0

    @property
    def taken(self) -> list[StepRecord]:
        """The steps that are taken, newest first."""
        return sorted((record for record in self.records if record.taken), key=lambda record: -record.turn)

    def adopt(self, step: Step, triggers: tuple[str, ...], deeds: tuple[Deeds, ...], effect: Effect, now: int) -> None:
        """Take over a step that an earlier monitor has taken; oldest first."""
        record = next((record for record in self.records if record.step.name == step.name), None)
        if record is None:
            record = StepRecord(step)
            self.records.append(record)
        self._turns += 1
        record.take(now, self._turns, deeds, triggers, effect)
        record.seen_held = not deeds  # somebody may have ended it since

    def observe(self, view: View) -> list[StepRecord]:
        """Take in what is seen now, before `choose`.

        Returns:
            The steps whose effect has just been measured.
        """
        self._recent.add(view.readings)
        measured = []
        for record in self.records:
            record.judge(view.now, any(calling(record.step, view)))
            if record.taken and record.measuring and self._measure(record, view):
                measured.append(record)
        for record in self.taken:
            self._watch(record, view)
        return measured

    def choose(self, view: View) -> Change | None:
        """What to do now, if anything. Say what became of it by `took`, `undid` or `refused`."""
        if record := self._next(view, [record for record in self.records if record.step.urgent]):
            return self._taking(record, view)
        if record := self._vetoed(view):
            return Change(Way.VETO, record)
        if view.now < self._settled_at:
            return None
        if record := self._next(view, self.records):
            return self._taking(record, view)
        if record := self._last(view):
            return Change(Way.UNDO, record)
        return None

    def took(self, change: Change, deeds: tuple[Deeds, ...], now: int) -> None:
        """The step is taken."""
        self._turns += 1
        change.record.take(now, self._turns, deeds, change.triggers, Effect(change.before))
        self._changed(change.record, now)

    def undid(self, record: StepRecord, now: int, *, probation: bool) -> None:
        """The step is undone."""
        record.leave(now, probation=probation)
        self._changed(record, now)

    def refused(self, record: StepRecord, why: str, now: int) -> None:
        """The step could not be taken or undone; it is tried again after a while, an urgent one at the next look."""
        record.refuse(now, why, self._plan.retry)

    def _taking(self, record: StepRecord, view: View) -> Change:
        return Change(Way.TAKE, record, tuple(causes(record.step, view)), self._before(record, view))

    def _before(self, record: StepRecord, view: View) -> Readings:
        """The readings to hold a step's effect against."""
        rules = (view.standings[name].rule for name in record.step.when if name in view.standings)
        return self._recent.medians(dict.fromkeys([*OF_INTEREST, *(rule.metric for rule in rules)]))

    def _changed(self, record: StepRecord, now: int) -> None:
        self._settled_at = now + round(record.step.dwell * NS)
        self._recent.clear()
        for other in self.records:
            other.well_since = other.fit_since = None
            other.measuring = other.measuring and other is record

    def _measure(self, record: StepRecord, view: View) -> bool:
        """Measure the effect at the end of the dwell time, and again until all is well, for two dwell times more.

        A model that is loaded in the background may begin to answer late. What gets better later than that has other
        reasons.
        """
        assert record.taken_at is not None
        dwell, since = record.step.dwell * NS, view.now - record.taken_at
        if since < dwell:
            return False
        first = not record.effect.after
        record.effect = Effect(record.effect.before, self._recent.medians(record.effect.before))
        record.measuring = since < _STILL_MEASURED * dwell and trouble(record, view) != ""
        return first or not record.measuring

    def _watch(self, record: StepRecord, view: View) -> None:
        """How long all is well for a step that is taken, and whether somebody else has undone it."""
        released = record.step.released
        if released and not all(condition.holds(view.readings) for condition in released):
            record.seen_held = record.seen_held or all(c.metric in view.readings for c in released)
        elif released and (record.seen_held or self._ended(record, view.now)):
            record.leave(view.now, probation=False)
            return
        more = [name for name in calling(record.step, view) if name not in record.triggers]
        record.triggers += tuple(more)
        record.note = trouble(record, view)
        if record.note:
            record.well_since = record.fit_since = None
            return
        record.well_since = view.now if record.well_since is None else record.well_since
        record.note = self._counsel(record, view)
        if record.note:
            record.fit_since = None
        elif record.fit_since is None:
            record.fit_since = view.now
        if not (record.deeds or released) and self._due(record, view.now):
            record.leave(view.now, probation=False)  # nothing is to be undone

    def _ended(self, record: StepRecord, now: int) -> bool:
        """Whether a step that leaves nothing to undo was ended before anybody saw it hold."""
        dwelt = record.taken_at is not None and now - record.taken_at >= record.step.dwell * NS
        return dwelt and not record.deeds

    def _counsel(self, record: StepRecord, view: View) -> str:
        """What was measured that speaks against undoing it."""
        rules = [view.standings[name].rule for name in record.triggers if name in view.standings]
        now = self._recent.medians(dict.fromkeys([*OF_INTEREST, *(rule.metric for rule in rules)]))
        reasons = (speaks_against(rule, record.effect, now, self._plan.margin) for rule in rules)
        return next((reason for reason in reasons if reason), "")

    def _due(self, record: StepRecord, now: int) -> bool:
        """Whether all was well for long enough."""
        stretched = record.backoff * NS
        recover, trial = record.step.recover, max(self._plan.trial, record.step.recover)
        if record.fit_since is not None and now - record.fit_since >= recover * stretched:
            return True
        # What was measured may have had another cause: after a long while, try.
        return record.well_since is not None and now - record.well_since >= trial * stretched

    def _next(self, view: View, records: Iterable[StepRecord]) -> StepRecord | None:
        """The first of them that something calls for and nothing is in the way of."""
        for record in records:
            if record.taken:
                continue
            record.note = ""
            if record.step.name in view.vetoed or not any(calling(record.step, view)) or view.now < record.held_until:
                continue
            record.note = hindrance(record.step, view)
            if not record.note:
                return record
        return None

    def _last(self, view: View) -> StepRecord | None:
        """The newest step that may be undone, if its time has come; what the operator keeps is passed over."""
        kept: set[tuple[str, ...]] = set()
        for record in self.taken:
            if record.step.name in view.pinned or record.step.by_operator:
                kept |= record.targets
            elif record.deeds:
                free = not (record.targets & kept) and view.now >= record.held_until
                return record if free and self._due(record, view.now) else None
        return None

    def _vetoed(self, view: View) -> StepRecord | None:
        """A step that the operator wants undone; before it, what was taken later and changed the same.

        An emergency stop stays until whoever is responsible for the robot releases it: there is nothing here to undo.
        """
        taken = self.taken
        for record in taken:
            if record.step.name in view.vetoed and (record.deeds or not record.step.released):
                later = (one for one in taken if one.turn > record.turn and one.targets & record.targets)
                first = next(later, record)
                return first if view.now >= first.held_until else None
        return None
