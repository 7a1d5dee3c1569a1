"""Sends each frame to the side that is to answer it, and sees to it that it is answered in time or not at all."""

from __future__ import annotations

import logging
import random
import threading
from functools import partial

from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Result
from edge_ai.routing.alarms import Alarms
from edge_ai.routing.breaker import Breaker
from edge_ai.routing.budget import ShareBudget
from edge_ai.routing.chooser import Chooser
from edge_ai.routing.decision import Decision, Load, Where
from edge_ai.routing.departures import Departures, OnError, OnResult
from edge_ai.routing.journey import Journey, Request
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policy import load_policy
from edge_ai.routing.side import Outcome, Side, Source
from edge_ai.routing.sight import hedge_wait
from edge_ai.routing.status import RouterCounts, RouterStatus
from edge_ai.routing.watch import SideWatch

log = logging.getLogger(__name__)

_BURST = 10  # hedges saved up: enough for all that is under way when a server falls silent, until the breaker opens
_EDGE_PAUSE, _EDGE_LONGEST = 0.5, 2.0  # s; an engine of our own is tried again soon
_KEPT = 0.2  # part of the deadline that a second opinion leaves for the way on
_OTHER = {Where.EDGE: Where.CLOUD, Where.CLOUD: Where.EDGE}


class Router:
    """Decides, asks, hedges, fails over, and hands on answers in the order of capture. Thread-safe.

    A frame is asked of the side that the policy names. When the cloud is late the edge is asked too, within a budget;
    the first valid answer counts and the other request is given up. When a side fails the other one is asked, each at
    most once for a frame. An answer after the deadline, or older than one of its camera that has left, is dropped.

    Args:
        edge: this robot's engine.
        cloud: the server.
        params: how to decide.
        clock: deadlines are on its steady time.
        on_result: called with each answer and its frame, by one thread at a time.
        on_error: called with each frame that both sides failed to answer, and why; default logs it.
        alarms: for tests, with a clock that moves only when told to; default has its own thread.
        rng: draws for exploration and jitter; robots need different seeds.

    Raises:
        ParameterError: no policy has that name.
    """

    def __init__(
        self,
        edge: Side,
        cloud: Side,
        params: RouterParams,
        clock: Clock,
        *,
        on_result: OnResult,
        on_error: OnError | None = None,
        alarms: Alarms | None = None,
        rng: random.Random | None = None,
    ) -> None:
        rng = rng or random.Random()
        self._params, self._clock = params, clock
        self._alarms = Alarms(clock) if alarms is None else alarms  # one without alarms is false
        self._lock = threading.Lock()
        self._counts = RouterCounts()
        self._hedges = ShareBudget(params.hedge_share, _BURST)

        def breaker(pause: float, longest: float, ramp: float) -> Breaker:
            # A trial may take as long as its frame's answer is wanted.
            return Breaker(params.breaker_failures, pause, longest, ramp, clock, rng, trial_timeout=params.deadline)

        self._watch = {
            Where.EDGE: SideWatch(edge, breaker(_EDGE_PAUSE, _EDGE_LONGEST, 0.0)),
            Where.CLOUD: SideWatch(
                cloud,
                breaker(params.breaker_pause, params.breaker_longest, params.breaker_ramp),
                params.max_in_flight,
            ),
        }
        self._chooser = Chooser(params, self._watch, rng)
        self._departures = Departures(self._watch, self._counts, self._lock, self._alarms, clock, on_result, on_error)
        self._departures.patience = params.order_wait

    def start(self) -> None:
        """Begin."""
        self._alarms.start()

    def stop(self) -> None:
        """Give up all that is under way; answers that still come are dropped."""
        self._departures.close_all()
        self._alarms.stop()

    def update(self, params: RouterParams) -> None:
        """Take over parameters that may change while it runs.

        Raises:
            ParameterError: no policy has that name.
        """
        policy = None if params.policy == self._params.policy else load_policy(params.policy)
        with self._lock:
            self._chooser.update(params, policy)
            self._params = params
            for watch in self._watch.values():
                watch.breaker.trial_timeout = params.deadline
            self._hedges.share = params.hedge_share
            self._watch[Where.CLOUD].most = params.max_in_flight
            self._departures.patience = params.order_wait

    def feel(self, load: Load) -> None:
        """How busy this machine is."""
        self._chooser.load = load

    def pinged(self, seconds: float) -> None:
        """The server answered so soon to a request without an image."""
        with self._lock:
            self._watch[Where.CLOUD].pinged(seconds, self._clock.steady_ns())

    @property
    def counts(self) -> RouterCounts:
        """What became of the frames, as it stands: for whoever asks with every result; `status` is a copy."""
        return self._counts

    @property
    def status(self) -> RouterStatus:
        """How both sides are, and what became of the frames."""
        with self._lock:
            return RouterStatus.of(self._params, self._counts, self._watch, self._clock.steady_ns())

    def offer(self, frame: Source) -> Decision:
        """Take in a frame and ask the side that is to answer it; returns at once with what was decided."""
        now = self._clock.steady_ns()
        with self._lock:
            lane = self._departures.lane(frame.camera)
            journey = self._chooser.begin(frame, lane, now, self._clock.steady_ns())
            decision = journey.decision
            self._counts.decided(decision)
            if decision.where is Where.SKIP:
                return decision
            if not lane.enter(journey):
                self._counts.repeated += 1
                self._watch[decision.where].breaker.abandoned()
                return decision
            journey.decided_s = (self._clock.steady_ns() - now) / NS
        self._ask(journey, decision.where)
        if journey.probe:
            self._ask(journey, _OTHER[decision.where])
        elif decision.where is Where.CLOUD:
            self._arm_hedge(journey)
        # Not before asking: there is time for it while the side works.
        with self._lock:
            if not journey.over:
                journey.alarms.append(self._alarms.at(journey.deadline_ns, partial(self._expire, journey)))
        return decision

    # Asking ---------------------------------------------------------------------------------------------------------

    def _ask(self, journey: Journey, where: Where) -> None:
        with self._lock:
            if (journey.closed and not journey.spare) or journey.asked(where):
                return
            request = journey.requests[where] = Request(self._clock.steady_ns())
            watch = self._watch[where]
            watch.asked()
            if where is Where.CLOUD:
                self._hedges.deposit()
        try:
            request.call = watch.side.ask(journey.frame, journey.deadline_ns, partial(self._ended, journey, where))
        except Exception as error:
            log.exception("asking %s failed", watch.side.name)
            self._ended(journey, where, Outcome(error=error))
        if request.ended and request.call is not None:  # given up while it was being sent
            request.call.cancel()

    def _arm_hedge(self, journey: Journey) -> None:
        with self._lock:
            if journey.closed or journey.asked(Where.EDGE):
                return
            now = self._clock.steady_ns()
            wait = hedge_wait(self._params, self._watch, journey.left(now), now)
            if wait is not None:
                journey.alarms.append(self._alarms.at(now + round(wait * NS), partial(self._hedge, journey)))

    def _hedge(self, journey: Journey) -> None:
        with self._lock:
            if journey.closed or not journey.pending(Where.CLOUD) or journey.asked(Where.EDGE):
                return
            if not self._hedges.take():
                self._counts.hedges_refused += 1
                return
            self._counts.hedged += 1
            journey.hedged = True
            waited = (self._clock.steady_ns() - journey.requests[Where.CLOUD].at_ns) / NS
            journey.notes.append(f"hedged: no answer of the cloud after {waited:.3f} s")
        self._ask(journey, Where.EDGE)

    # What comes back ------------------------------------------------------------------------------------------------

    def _ended(self, journey: Journey, where: Where, outcome: Outcome) -> None:
        now = self._clock.steady_ns()
        again: Where | None = None
        with self._departures.turn:
            with self._lock:
                request = journey.requests[where]
                if request.ended:
                    return  # it was given up, and has been counted so
                request.ended = True
                if not journey.closed:
                    again = self._advance(journey, where, outcome, now)
            self._departures.release(journey.frame.camera)
            with self._lock:  # what is learned has time until the answer is on its way
                self._watch[where].ended(outcome, request.at_ns, now)
                self._departures.spent(journey)
        if again is not None:
            self._ask(journey, again)

    def _advance(self, journey: Journey, where: Where, outcome: Outcome, now: int) -> Where | None:
        """What an outcome means for its frame; the side to ask next, if one is."""
        if outcome.result is not None:
            if where is Where.EDGE and self._seek_second_opinion(journey, outcome.result, now):
                return Where.CLOUD
            self._answer(journey, where, outcome.result, now)
            return None
        if outcome.error is not None:
            journey.errors[where] = outcome.error
        journey.replaced |= outcome.dropped and where is Where.EDGE
        other = _OTHER[where]
        # An image that the edge dropped for a newer one is no failure, and one that is torn is torn for all.
        failed = where is Where.CLOUD if outcome.error is None else not isinstance(outcome.error, ImageError)
        if failed and not journey.asked(other) and journey.left(now) > 0 and not self._watch[other].admit():
            self._counts.failovers += 1
            journey.notes.append(f"{where.value} failed: {outcome.error or 'too much under way'}")
            return other
        if journey.pending():
            return None
        if journey.provisional is not None:
            journey.notes.append("no second opinion")
            self._answer(journey, Where.EDGE, journey.provisional, now)
        else:
            self._departures.fail(journey, dropped=journey.replaced)
        return None

    def _seek_second_opinion(self, journey: Journey, result: Result, now: int) -> bool:
        lane = self._departures.lane(journey.frame.camera)
        opinion = self._chooser.second_opinion(journey, lane, result, now)
        if opinion is None:
            return False
        self._counts.second_opinions += 1
        journey.provisional = result
        journey.notes += opinion.reasons
        settle = journey.deadline_ns - round(_KEPT * self._params.deadline * NS)
        journey.alarms.append(self._alarms.at(max(settle, now), partial(self._settle, journey)))
        return True

    def _answer(self, journey: Journey, where: Where, result: Result, now: int) -> None:
        if now > journey.deadline_ns:
            self._departures.fail(journey, late=True)
            return
        if journey.hedged:
            journey.notes.append(f"{where.value} was first")
            if where is Where.EDGE:
                self._counts.hedges_won += 1
                self._departures.give_up(journey, Where.CLOUD, late=True)
        journey.settle(result, where, now)
        self._departures.close(journey)

    def _settle(self, journey: Journey) -> None:
        """There is no more time for a second opinion."""
        with self._departures.turn:
            with self._lock:
                if journey.closed or journey.provisional is None:
                    return
                journey.notes.append("no second opinion in time")
                self._departures.give_up(journey, Where.CLOUD, late=True)
                self._answer(journey, Where.EDGE, journey.provisional, self._clock.steady_ns())
            self._departures.release(journey.frame.camera)

    def _expire(self, journey: Journey) -> None:
        """The deadline has come."""
        with self._departures.turn:
            with self._lock:
                for where in journey.requests:
                    self._departures.give_up(journey, where, late=True)
                self._departures.spent(journey)
                if not journey.closed:
                    self._departures.fail(journey, late=True)
            self._departures.release(journey.frame.camera)
