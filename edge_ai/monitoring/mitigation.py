"""The ladder at work: its decisions done by an actuator, reported, and remembered over a crash."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import Action, Actuator, SetParameter
from edge_ai.monitoring.alerts import Standing
from edge_ai.monitoring.errand import Errand, Errands, take_back, words_of
from edge_ai.monitoring.kept_steps import KeptStep, KeptSteps
from edge_ai.monitoring.ladder import Change, Ladder, Way
from edge_ai.monitoring.ladder_view import View
from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.step_record import StepRecord
from edge_ai.monitoring.steps import Plan, ScaleParameter, Step, StepStatus

log = logging.getLogger(__name__)

_GLANCE = 0.05  # s that a beat waits for an answer, so that a refused step's successor need not wait for the next one


@dataclass(frozen=True, slots=True)
class MitigationStatus:
    """The ladder at one moment.

    Attributes:
        level: steps that are taken.
        changes: steps taken or undone since the start.
        message: the last change, in words.
        steps: all, in the ladder's order.
        done_for: names of the steps that are taken, by the alert they were taken for.
    """

    level: int = 0
    changes: int = 0
    message: str = ""
    steps: tuple[StepStatus, ...] = ()
    done_for: Mapping[str, str] = field(default_factory=dict)


class Mitigation:
    """Takes and undoes the steps of a plan. Not for several threads at once.

    Args:
        plan: the ladder.
        clock: measures on its steady side.
        actuator: does what the steps say.
        kept: where the steps that are taken are remembered; those of an earlier monitor are taken over.
    """

    def __init__(self, plan: Plan, clock: Clock, actuator: Actuator, kept: KeptSteps | None = None) -> None:
        self._clock, self._kept = clock, kept or KeptSteps(None)
        self._ladder = Ladder(plan)
        self._errands = Errands(actuator)
        self._change: Change | None = None
        self._errand: Errand | None = None
        self._pinned: Collection[str] = ()
        self._vetoed: Collection[str] = ()
        self._changes, self._message = 0, ""
        self._adopt(plan)

    def beat(
        self,
        readings: Readings,
        standings: Mapping[str, Standing],
        pinned: Collection[str] = (),
        vetoed: Collection[str] = (),
    ) -> None:
        """Look, decide, and begin or go on with what was decided; waits at most 50 ms.

        Args:
            readings: the newest.
            standings: of the alerts, by name.
            pinned: steps that are kept once they are taken.
            vetoed: steps that are not to be taken.
        """
        self._pinned, self._vetoed = pinned, vetoed
        view = View(self._clock.steady_ns(), standings, readings, pinned, vetoed)
        self._advance(view.now)
        for record in self._ladder.observe(view):
            log.info("effect of '%s': %s", record.step.name, record.effect.words())
        for _ in self._ladder.records:
            if self._errand is not None:
                break
            change = self._ladder.choose(view)
            if change is None:
                break
            self._begin(change, view)
            self._advance(view.now, _GLANCE)
        self._save()

    def close(self, patience: float = 5.0) -> None:
        """Undo what was taken, last first, but for what the operator keeps: an emergency stop, what is pinned.

        Those, and what cannot be undone within ``patience`` seconds, are remembered for the next monitor.
        """
        end = time.monotonic() + patience
        self._finish_by(end)
        for record in self._ladder.taken:
            if record.step.name not in self._pinned and not record.step.by_operator:
                self._undo(Change(Way.VETO, record))
                self._finish_by(end)
        for record in self._ladder.taken:
            log.warning("'%s' is left as it is", record.step.name)
        self._errands.close()
        self._save()

    @property
    def status(self) -> MitigationStatus:
        """How the ladder stands."""
        stamp, taken = self._clock.stamp_ns(), self._ladder.taken
        done_for: dict[str, list[str]] = {}
        for record in reversed(taken):
            for alert in record.triggers:
                done_for.setdefault(alert, []).append(record.step.name)
        steps = tuple(record.status(stamp, self._pinned, self._vetoed) for record in self._ladder.records)
        words = {alert: ", ".join(names) for alert, names in done_for.items()}
        return MitigationStatus(len(taken), self._changes, self._message, steps, words)

    @property
    def rate_cap(self) -> float:
        """Frames a second that the steps taken leave of each camera's; inf: as many as it gives."""
        rates = [
            float(deeds.did.value)
            for record in self._ladder.taken
            for deeds in record.deeds
            if isinstance(deeds.did, SetParameter)
            and (deeds.did.node, deeds.did.name) == ("camera", "max_rate")
            and isinstance(deeds.did.value, int | float)
        ]
        return min((rate for rate in rates if rate > 0), default=math.inf)

    def _adopt(self, plan: Plan) -> None:
        known, now = {step.name: step for step in plan.steps}, self._clock.steady_ns()
        for kept in self._kept.load():
            if kept.pending:
                self._doubt(kept)
            if not kept.to_undo and (kept.pending or kept.name not in known):
                continue  # nothing of it could be undone, nor be seen to be over
            step = known.get(kept.name) or Step(kept.name, by_operator=kept.by_operator)
            self._ladder.adopt(step, kept.triggers, kept.to_undo, kept.effect, now)
            log.warning("'%s' was taken by an earlier monitor, and is undone when all is well", kept.name)

    def _doubt(self, kept: KeptStep) -> None:
        """Tell the operator what may have been done: what it was before would have come with the answer."""
        what = "; ".join(words_of(action) for action in kept.pending)
        self._message = f"'{kept.name}' was being taken when an earlier monitor died, perhaps done: {what}"
        log.warning("%s", self._message)

    def _begin(self, change: Change, view: View) -> None:
        if change.way is not Way.TAKE:
            self._undo(change)
            return
        step = change.record.step
        try:
            actions = [deed.resolve(view.readings) if isinstance(deed, ScaleParameter) else deed for deed in step.do]
        except EdgeAIError as error:
            self._refuse(change.record, str(error), view.now)
            return
        self._change = change
        self._errand = Errand(self._errands, actions, step.deadline, all_or_nothing=True)
        if not step.urgent:  # an emergency stop waits for no disk
            self._save()
        self._errand.start(view.now)

    def _undo(self, change: Change) -> None:
        record, now = change.record, self._clock.steady_ns()
        undos = [deeds.undo for deeds in reversed(record.deeds)]
        self._change = change
        self._errand = Errand(self._errands, undos, record.step.deadline, all_or_nothing=False)
        self._errand.start(now)

    def _advance(self, now: int, patience: float = 0.0) -> None:
        """Take in what was answered."""
        self._errands.poll(now, patience if self._errand and not self._errand.over else 0.0)
        if self._errand is None or self._change is None:
            return
        self._errand.check(now)
        if self._errand.over:
            change, errand = self._change, self._errand
            self._change = self._errand = None
            (self._took if change.way is Way.TAKE else self._undid)(change, errand, now)

    def _finish_by(self, end: float) -> None:
        while self._errand is not None and time.monotonic() < end:
            self._advance(self._clock.steady_ns(), _GLANCE)
        if self._errand is not None:
            self._errand.give_up("no answer before the end")
            self._advance(self._clock.steady_ns())

    def _took(self, change: Change, errand: Errand, now: int) -> None:
        if errand.failure:
            self._refuse(change.record, errand.failure, now)
            return
        self._ladder.took(change, errand.deeds, now)
        what = "; ".join(words_of(did) for did, _ in errand.done)
        self._say(f"'{change.record.step.name}' taken for {', '.join(change.triggers)}: {what}")

    def _undid(self, change: Change, errand: Errand, now: int) -> None:
        record = change.record
        for deeds, (undo, was) in zip(reversed(record.deeds), errand.done, strict=False):
            self._respect(deeds.did, undo, was)
        record.deeds = record.deeds[: len(record.deeds) - len(errand.done)]
        if errand.failure:
            self._refuse(record, errand.failure, now)
            return
        self._ladder.undid(record, now, probation=change.way is Way.UNDO)
        self._say(f"'{record.step.name}' undone")

    def _respect(self, did: Action, undo: Action, was: Action | None) -> None:
        """Put back a value that somebody else had set since the step was taken."""
        if not (isinstance(did, SetParameter) and isinstance(undo, SetParameter) and isinstance(was, SetParameter)):
            return
        if was.value not in (did.value, undo.value):
            log.warning("%s, set by somebody else since, is left so", words_of(was))
            take_back(self._errands, was)

    def _refuse(self, record: StepRecord, why: str, now: int) -> None:
        verb = "undone" if record.taken else "taken"
        level = logging.DEBUG if record.refusal == why else logging.WARNING  # tell once, not at each new try
        self._ladder.refused(record, why, now)
        log.log(level, "'%s' cannot be %s: %s", record.step.name, verb, why)

    def _say(self, message: str) -> None:
        self._changes += 1
        self._message = message
        log.warning("mitigation: %s", message)

    def _save(self) -> None:
        """Keep what is taken, and what is being taken: a monitor killed before the answer has done it all the same."""
        kept = [KeptStep.of(record) for record in reversed(self._ladder.taken)]
        if self._errand is not None and self._change is not None and self._change.way is Way.TAKE:
            kept.append(KeptStep.begun(self._change, self._errand))
        self._kept.save(kept)
