"""Actions that are done one after the other by an actuator that answers when it likes, or never."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence

from edge_ai.core.clock import NS
from edge_ai.monitoring.actions import Action, Actuator, CallService, SetParameter
from edge_ai.monitoring.step_record import Deeds

log = logging.getLogger(__name__)

Answer = Action | Exception | None


class Errands:
    """Sends actions out and takes answers in. An errand changes only while its owner polls.

    Args:
        actuator: does them.
    """

    def __init__(self, actuator: Actuator) -> None:
        self._actuator = actuator
        self._answers: queue.SimpleQueue[tuple[Errand, Action, Answer]] = queue.SimpleQueue()
        self._closed = False

    def send(self, errand: Errand, action: Action) -> None:
        """Begin an action; its answer goes to the errand at a later `poll`."""
        answered = _once(lambda answer: self._take_in(errand, action, answer))
        try:
            self._actuator.perform(action, answered)
        except Exception as error:
            log.exception("%s", words_of(action))
            answered(error)

    def poll(self, now: int, patience: float = 0.0) -> None:
        """Hand out the answers that are there, or that come within ``patience`` seconds if none is."""
        wait = patience > 0
        while True:
            try:
                errand, action, answer = self._answers.get(wait, patience if wait else None)
            except queue.Empty:
                return
            wait = False
            errand.heard(action, answer, now)

    def close(self) -> None:
        """Nobody polls any more: what is still done for an errand that was given up is taken back by who did it."""
        self._closed = True
        self.poll(0)

    def _take_in(self, errand: Errand, action: Action, answer: Answer) -> None:
        if self._closed:
            errand.heard(action, answer, 0)
        else:
            self._answers.put((errand, action, answer))


class Errand:
    """The actions of one step, in order, until all are done or one fails.

    Args:
        errands: sends them.
        actions: to do.
        deadline: seconds for each.
        all_or_nothing: once one fails take back what was done, also what is done after its deadline.

    Attributes:
        done: the actions that were done, each with what takes it back.
        failure: why one was not, in words; empty: none failed.
    """

    def __init__(self, errands: Errands, actions: Sequence[Action], deadline: float, *, all_or_nothing: bool) -> None:
        self._errands, self._deadline, self._all_or_nothing = errands, deadline, all_or_nothing
        self._left = list(actions)
        self._under_way: Action | None = None
        self._until = 0
        self.done: list[tuple[Action, Action | None]] = []
        self.failure = ""

    def start(self, now: int) -> None:
        """Send the first action; ``now`` is steady time, ns."""
        self._next(now)

    @property
    def deeds(self) -> tuple[Deeds, ...]:
        """What was done and can be taken back."""
        return tuple(Deeds(did, undo) for did, undo in self.done if undo is not None)

    @property
    def pending(self) -> tuple[Action, ...]:
        """The actions of which nobody knows whether they were done: the one under way, and those to follow."""
        return tuple(self._left) if self._under_way is None else (self._under_way, *self._left)

    @property
    def over(self) -> bool:
        """Whether nothing is under way or left to do."""
        return self._under_way is None

    def check(self, now: int) -> None:
        """Give an action up that has not answered in time."""
        if now >= self._until:
            self.give_up(f"no answer within {self._deadline:g} s")

    def give_up(self, why: str) -> None:
        """Wait no longer for the action that is under way."""
        if self._under_way is not None:
            action, self._under_way = self._under_way, None
            self._fail(f"{words_of(action)}: {why}")

    def heard(self, action: Action, answer: Answer, now: int) -> None:
        """An answer came."""
        if action is not self._under_way:
            if self._all_or_nothing and answer is not None and not isinstance(answer, Exception):
                log.warning("%s was done after its deadline: taken back", words_of(action))
                take_back(self._errands, answer)
            return
        self._under_way = None
        if isinstance(answer, Exception):
            self._fail(str(answer) or type(answer).__name__)
        else:
            self.done.append((action, answer))
            self._next(now)

    def _next(self, now: int) -> None:
        if self._left:
            action = self._under_way = self._left.pop(0)
            self._until = now + round(self._deadline * NS)
            self._errands.send(self, action)

    def _fail(self, why: str) -> None:
        self.failure = why
        self._left.clear()
        if self._all_or_nothing:
            undos = [undo for _, undo in self.done if undo is not None]
            self.done.clear()
            for undo in reversed(undos):
                take_back(self._errands, undo)


class _TakingBack(Errand):
    """An undo for which nobody waits."""

    def _fail(self, why: str) -> None:
        super()._fail(why)
        log.error("could not be taken back: %s", why)


def take_back(errands: Errands, undo: Action) -> None:
    """Send an undo off; the log tells if it fails."""
    _TakingBack(errands, [undo], 0.0, all_or_nothing=False).start(0)


def words_of(action: Action) -> str:
    """An action in an operator's words."""
    if isinstance(action, SetParameter):
        return f"{action.node}.{action.name} = {action.value!r}"
    if isinstance(action, CallService):
        return f"{action.node}/{action.service}"
    parts = {"mode": action.mode, "clocks": action.clocks, "fan": action.fan}
    return "power " + ", ".join(f"{what} {value}" for what, value in parts.items() if value)


def _once(report: Callable[[Answer], None]) -> Callable[[Answer], None]:
    """Heed only the first of several answers."""
    given: list[Answer] = []

    def answered(answer: Answer) -> None:
        if not given:
            given.append(answer)
            report(answer)

    return answered
