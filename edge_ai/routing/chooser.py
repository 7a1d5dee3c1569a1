"""Asks the policy about a frame, and holds it to what can be done."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping

from edge_ai.core.clock import NS
from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Load, Snapshot, Where
from edge_ai.routing.journey import Journey
from edge_ai.routing.lane import Lane
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policy import Policy, load_policy
from edge_ai.routing.side import Source
from edge_ai.routing.sight import Watches, look

log = logging.getLogger(__name__)

_AHEAD = 0.1  # s that a stamp may be ahead of this machine's clock


class Chooser:
    """Makes a journey of each frame. Not thread-safe: the router's lock holds.

    A request to a side that was admitted for the policy's sake and is not made is given back to its breaker.

    Args:
        params: how to decide.
        watches: what is known of both sides.
        rng: draws for policies.

    Raises:
        ParameterError: no policy has that name.

    Attributes:
        load: of this machine; set by whoever measures it.
    """

    def __init__(self, params: RouterParams, watches: Watches, rng: random.Random) -> None:
        self._watches, self._rng = watches, rng
        self.load = Load()
        self.update(params, load_policy(params.policy))

    def update(self, params: RouterParams, policy: Policy | None) -> None:
        """Decide by these from now on.

        Args:
            params: how to decide.
            policy: of that name, made without the lock, since a package may have to be read for it; None: as before.
        """
        if policy is not None:
            self._policy: Policy = policy
            self._one_opinion: bool = getattr(policy, "one_opinion", False)
        self._params = params

    def begin(self, frame: Source, lane: Lane, begun_ns: int, clock_ns: int) -> Journey:
        """The journey of a frame, with what was decided about it.

        Args:
            frame: to be answered.
            lane: of its camera.
            begun_ns: steady time when it came.
            clock_ns: steady time now.
        """
        whys = {where: watch.admit() for where, watch in self._watches.items()}
        if whys[Where.CLOUD] and not self._watches[Where.EDGE].side.unready:
            whys[Where.EDGE] = ""  # an engine that failed is tried all the same where there is no other
        ahead = (frame.header.steady_ns - begun_ns) / NS
        if ahead > _AHEAD:  # its answer would be newer than all others for as long
            decision = Decision(Where.SKIP, (f"captured {ahead:.3f} s in the future: check the clocks",))
        else:
            decision = self._obey(self._look(frame, lane, whys, clock_ns), whys)
        half_open = not whys[Where.CLOUD] and self._watches[Where.CLOUD].breaker.state == "half-open"
        # A cloud that failed is tried beside the edge whatever the policy says: else it would not know that it is back.
        trial = half_open and decision.where is not Where.SKIP and self._params.override != "edge"
        both = (decision.exploring or trial) and not any(whys.values())
        for where, why in whys.items():
            if not why and where is not decision.where and not both:
                self._watches[where].breaker.abandoned()
        deadline = frame.header.steady_ns + round(self._params.deadline * NS)
        journey = Journey(frame, decision, deadline)
        journey.probe = both or (trial and not self._watches[Where.EDGE].side.unready)
        journey.spare = journey.probe or decision.exploring
        return journey

    def second_opinion(self, journey: Journey, lane: Lane, result: Result, now_ns: int) -> Decision | None:
        """Whether the cloud is to be asked about an answer of the edge: once, and not where it was asked already."""
        if self._one_opinion or journey.asked(Where.CLOUD) or self._params.override == "edge":
            return None
        cloud = self._watches[Where.CLOUD]
        if cloud.admit():
            return None
        whys = {Where.EDGE: "", Where.CLOUD: ""}
        try:
            opinion = self._policy.second_opinion(self._look(journey.frame, lane, whys, now_ns), self._params, result)
        except Exception:
            log.exception("policy '%s' failed about a second opinion", self._params.policy)
            opinion = None
        if opinion is None:
            cloud.breaker.abandoned()
        return opinion

    def _look(self, frame: Source, lane: Lane, whys: Mapping[Where, str], now_ns: int) -> Snapshot:
        return look(frame, lane, self._params, self._watches, whys, self.load, now_ns, self._rng.random())

    def _obey(self, snapshot: Snapshot, whys: Mapping[Where, str]) -> Decision:
        """A policy that fails, or names a side that cannot be asked, is not obeyed."""
        try:
            decision = self._policy.decide(snapshot, self._params)
            why = whys.get(decision.where)
        except Exception as error:
            log.exception("policy '%s' failed", self._params.policy)
            decision = Decision(Where.EDGE, (f"policy '{self._params.policy}' failed: {error!r}",))
            why = whys[Where.EDGE]
        if why:
            return Decision(Where.SKIP, (*decision.reasons, f"{decision.where.value} cannot be asked: {why}"))
        return decision
