"""The side that is expected to cost less, in latency, misses, energy, bandwidth and accuracy."""

from __future__ import annotations

import math
from typing import NamedTuple

from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import miss, other, settled

_ABOUT = 0.1
"""Costs closer than this share of one another are about the same: frames are then shared out."""
_FRESH = 2.0  # s in which an estimate is taken as it is
_DOUBT = 0.1  # by which share an older estimate may have become better, per second of its age
_EAGER = 5
"""Times `explore`, the chance that a frame makes a trial that is due. As none is due while an estimate is fresh, trials
stay about that share of all frames, and a side that has become better is noticed soon."""
_STALL = 0.02
"""Probability that a request comes to nothing whatever the last ones took: a lost packet, a handover, the begin of an
outage. It counts where the edge could not step in any more."""
_BYTES_A_PIXEL = 0.15  # of a JPEG image, before one was sent


class Cost(NamedTuple):
    """What it is expected to cost to ask a side.

    Attributes:
        total: in the unit of the parameters' weights.
        latency: s.
        misses: probability that the answer comes too late.
    """

    total: float
    latency: float
    misses: float


class Terms(NamedTuple):
    """What does not hang on the sides' latencies.

    Attributes:
        edge: cost of asking the edge apart from its latency.
        cloud: the same of the cloud.
        trip: seconds of a round trip without an image; 0: not known.
        wire: seconds that this frame's request has the link; 0: not known.
    """

    edge: float
    cloud: float
    trip: float
    wire: float


class CostPolicy:
    """Asks the side that is expected to cost less.

    Where the costs are within a tenth of each other the frames are shared out by their difference, so that the robots
    that share a server do not all turn to it and away from it in step. A share of the frames (``explore``) asks the
    side not favoured if what is known of it is old and it may have become the better one since; never one of high
    priority. No deadline is at risk: the router asks the favoured side at the same time. A cloud that nothing is known
    of is not favoured before such a trial has shown what it can do.
    """

    one_opinion = True

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""
        decision = settled(snapshot)
        if decision is not None:
            return decision
        fixed = terms(snapshot, params)
        edge, cloud = edge_cost(snapshot, params, fixed), cloud_cost(snapshot, params, fixed)
        known = snapshot.cloud.expected >= 0
        chosen = Where.CLOUD if known and cloud.total < edge.total else Where.EDGE
        if snapshot.priority >= 2:
            return Decision(chosen, (_words(chosen, edge, cloud),))
        asked = other(chosen)
        share = explored(asked, snapshot, params, fixed, edge.total if chosen is Where.EDGE else cloud.total)
        if snapshot.draw < share:
            return Decision(asked, (_age_words(asked, snapshot), _words(chosen, edge, cloud)), exploring=True)
        draw = (snapshot.draw - share) / (1 - share)
        band = _ABOUT * min(edge.total, cloud.total)
        if known and abs(edge.total - cloud.total) < band:
            chosen = Where.CLOUD if draw < 0.5 + (edge.total - cloud.total) / (2 * band) else Where.EDGE
        return Decision(chosen, (_words(chosen, edge, cloud),))

    def second_opinion(self, snapshot: Snapshot, params: RouterParams, result: Result) -> Decision | None:
        """None: scores do not matter to this policy."""
        return None


def terms(snapshot: Snapshot, params: RouterParams) -> Terms:
    """What does not hang on the sides' latencies.

    Of accuracy only what a side lacks to the better one counts: what both lack would blur how far apart they are.
    """
    payload, bandwidth = snapshot.link.payload, snapshot.link.bandwidth
    if not 0 <= payload < math.inf:
        payload = _BYTES_A_PIXEL * snapshot.width * snapshot.height
    a_joule, accuracies = params.cost_energy, (params.edge_accuracy, params.cloud_accuracy)
    lacking = [params.cost_accuracy * (max(accuracies) - accuracy) for accuracy in accuracies]
    a_megabyte = params.cost_bandwidth + a_joule * params.cloud_energy
    return Terms(
        a_joule * params.edge_energy + lacking[0],
        a_megabyte * payload / 1e6 + lacking[1],
        _known(snapshot.link.rtt, 0.0),
        payload / bandwidth if 1.0 <= bandwidth < math.inf else 0.0,
    )


def edge_cost(snapshot: Snapshot, params: RouterParams, fixed: Terms) -> Cost:
    """Of asking this robot's engine, which answers one frame after the other."""
    side = snapshot.edge
    # Half of the one that is being answered is over on average.
    latency = _known(side.expected, 0.0) * (1 + max(0.0, side.in_flight - 0.5))
    return _cost(fixed.edge, latency, side.spread, snapshot, params)


def cloud_cost(snapshot: Snapshot, params: RouterParams, fixed: Terms) -> Cost:
    """Of asking the server; requests under way share the link."""
    side, least = snapshot.cloud, fixed.trip + fixed.wire
    latency = _known(side.expected, least) + side.in_flight * fixed.wire
    if side.age > _FRESH:
        latency = max(latency, least)
    cost = _cost(fixed.cloud, latency, side.spread, snapshot, params)
    if latency + snapshot.edge.p95 <= snapshot.budget:
        return cost
    return Cost(cost.total + params.cost_miss * _STALL, cost.latency, min(1.0, cost.misses + _STALL))


def explored(asked: Where, snapshot: Snapshot, params: RouterParams, fixed: Terms, favoured: float) -> float:
    """The share of frames that should ask the side not favoured.

    Args:
        asked: that side.
        snapshot: of the frame.
        params: the weights.
        fixed: terms of both sides.
        favoured: cost of the other side.
    """
    side = snapshot.cloud if asked is Where.CLOUD else snapshot.edge
    if side.age <= _FRESH or side.in_flight > 0:
        return 0.0
    hoped = _known(side.expected, 0.0) * max(0.0, 1 - _DOUBT * min(side.age, 1 / _DOUBT))
    if asked is Where.CLOUD and fixed.trip > 0:
        # The link shows how quick an answer could be, whatever the last ones were; none is quicker than its trip.
        least = fixed.trip + fixed.wire
        hoped = max(fixed.trip, min(hoped, least) if side.expected >= 0 else least)
    if (fixed.edge if asked is Where.EDGE else fixed.cloud) + params.cost_latency * hoped >= favoured:
        return 0.0
    return min(0.5, _EAGER * params.explore)


def _cost(fixed: float, latency: float, spread: float, snapshot: Snapshot, params: RouterParams) -> Cost:
    misses = miss(latency, spread, snapshot.budget)
    return Cost(fixed + params.cost_latency * latency + params.cost_miss * misses, latency, misses)


def _known(value: float, otherwise: float) -> float:
    return value if 0 <= value < math.inf else otherwise


def _words(chosen: Where, edge: Cost, cloud: Cost) -> str:
    mine, its = (edge, cloud) if chosen is Where.EDGE else (cloud, edge)
    return (
        f"cost {mine.total:.3f} ({1e3 * mine.latency:.0f} ms, {100 * mine.misses:.0f} % late) against {its.total:.3f} "
        f"of the {other(chosen).value} ({1e3 * its.latency:.0f} ms, {100 * its.misses:.0f} % late)"
    )


def _age_words(asked: Where, snapshot: Snapshot) -> str:
    age = snapshot.edge.age if asked is Where.EDGE else snapshot.cloud.age
    if not math.isfinite(age):
        return f"to see how quick the {asked.value} is"
    return f"to see how quick the {asked.value} is now, {age:.0f} s after its last answer"
