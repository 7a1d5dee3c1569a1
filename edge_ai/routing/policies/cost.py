"""The side that is expected to cost less, in latency, misses, energy, bandwidth and accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import milliseconds, miss, other, settled, side_of

_ABOUT = 0.1
"""Costs closer than this share of one another are about the same: frames are then shared out."""
_FRESH = 2.0  # s in which an estimate is taken as it is
_DOUBT = 0.1  # by which share an older estimate may have become better, per second of its age
_EAGER = 5
"""Times `explore`, the chance that a frame makes a trial that is due. As none is due while an estimate is fresh, trials
stay about that share of all frames, and a side that has become better is noticed soon."""
_BYTES_A_PIXEL = 0.15  # of a JPEG image, before one was sent


@dataclass(frozen=True, slots=True)
class Cost:
    """What it is expected to cost to ask a side.

    Attributes:
        total: in the unit of the parameters' weights.
        latency: s.
        misses: probability that the answer comes too late.
    """

    total: float
    latency: float
    misses: float


class CostPolicy:
    """Asks the side that is expected to cost less.

    Where the costs are within a tenth of each other the frames are shared out by their difference, so that the robots
    that share a server do not all turn to it and away from it in step. A share of the frames (``explore``) asks the
    side not favoured if what is known of it is old and it may have become the better one since; never one of high
    priority. No deadline is at risk: the router asks the favoured side at the same time.
    """

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""
        decision = settled(snapshot, params)
        if decision is not None:
            return decision
        edge, cloud = edge_cost(snapshot, params), cloud_cost(snapshot, params)
        chosen = Where.EDGE if edge.total <= cloud.total else Where.CLOUD
        if snapshot.priority >= 2:
            return Decision(chosen, (_words(chosen, edge, cloud),))
        asked = other(chosen)
        share = explored(asked, snapshot, params, min(edge.total, cloud.total))
        if snapshot.draw < share:
            return Decision(asked, (_age_words(asked, snapshot), _words(chosen, edge, cloud)), exploring=True)
        draw = (snapshot.draw - share) / (1 - share)
        band = _ABOUT * min(edge.total, cloud.total)
        if abs(edge.total - cloud.total) < band:
            chosen = Where.CLOUD if draw < 0.5 + (edge.total - cloud.total) / (2 * band) else Where.EDGE
        return Decision(chosen, (_words(chosen, edge, cloud),))

    def second_opinion(self, snapshot: Snapshot, params: RouterParams, result: Result) -> Decision | None:
        """None: scores do not matter to this policy."""
        return None


def edge_cost(snapshot: Snapshot, params: RouterParams) -> Cost:
    """Of asking this robot's engine, which answers one frame after the other."""
    side = snapshot.edge
    latency = _known(side.expected, 0.0)
    # Half of the one that is being answered is over on average.
    latency += latency * max(0.0, side.in_flight - 0.5)
    misses = miss(latency, side.spread, snapshot.budget)
    return Cost(_edge_fixed(params) + params.cost_latency * latency + params.cost_miss * misses, latency, misses)


def cloud_cost(snapshot: Snapshot, params: RouterParams) -> Cost:
    """Of asking the server; requests under way share the link."""
    side, wire = snapshot.cloud, _wire(snapshot)
    latency = _known(side.expected, _known(snapshot.link.rtt, 0.0) + wire) + side.in_flight * wire
    if side.age > _FRESH:
        latency = max(latency, _known(snapshot.link.rtt, 0.0) + wire)
    misses = miss(latency, side.spread, snapshot.budget)
    return Cost(
        _cloud_fixed(snapshot, params) + params.cost_latency * latency + params.cost_miss * misses, latency, misses
    )


def explored(asked: Where, snapshot: Snapshot, params: RouterParams, favoured: float) -> float:
    """The share of frames that should ask the side not favoured.

    Args:
        asked: that side.
        snapshot: of the frame.
        params: the weights.
        favoured: cost of the other side.
    """
    side, link = side_of(snapshot, asked), snapshot.link
    if side.age <= _FRESH or side.in_flight > 0:
        return 0.0
    hoped = _known(side.expected, 0.0) * max(0.0, 1 - _DOUBT * min(side.age, 1e3))
    fixed = _edge_fixed(params)
    if asked is Where.CLOUD:
        fixed = _cloud_fixed(snapshot, params)
        if _is_known(link.rtt):
            # The link shows how quick an answer could be, whatever the last ones were; none is quicker than its trip.
            whole = link.rtt + _wire(snapshot)
            hoped = max(link.rtt, min(hoped, whole) if _is_known(side.expected) else whole)
    if fixed + params.cost_latency * hoped >= favoured:
        return 0.0
    return min(0.5, _EAGER * params.explore)


def _edge_fixed(params: RouterParams) -> float:
    return params.cost_energy * params.edge_energy + _inaccuracy(params.edge_accuracy, params)


def _cloud_fixed(snapshot: Snapshot, params: RouterParams) -> float:
    megabytes = _payload(snapshot) / 1e6
    cost = (params.cost_bandwidth + params.cost_energy * params.cloud_energy) * megabytes
    return cost + _inaccuracy(params.cloud_accuracy, params)


def _inaccuracy(accuracy: float, params: RouterParams) -> float:
    """What it costs to be less accurate than the better side: what both lack would only blur how far apart they are."""
    return params.cost_accuracy * (max(params.edge_accuracy, params.cloud_accuracy) - accuracy)


def _lacking(accuracy: float, params: RouterParams) -> float:
    """What an accuracy lacks to the better side's: what both lack would only drown the differences in latency."""
    return max(params.edge_accuracy, params.cloud_accuracy) - accuracy


def _payload(snapshot: Snapshot) -> float:
    return _known(snapshot.link.payload, _BYTES_A_PIXEL * snapshot.width * snapshot.height)


def _wire(snapshot: Snapshot) -> float:
    """Seconds that this frame's request takes on the link; 0: not known."""
    bandwidth = snapshot.link.bandwidth
    return _payload(snapshot) / bandwidth if 1.0 <= bandwidth < math.inf else 0.0


def _is_known(value: float) -> bool:
    return 0 <= value < math.inf


def _known(value: float, otherwise: float) -> float:
    return value if 0 <= value < math.inf else otherwise


def _words(chosen: Where, edge: Cost, cloud: Cost) -> str:
    mine, its = (edge, cloud) if chosen is Where.EDGE else (cloud, edge)
    return (
        f"cost {mine.total:.3f} ({milliseconds(mine.latency)}, {100 * mine.misses:.0f} % late) against {its.total:.3f} "
        f"of the {other(chosen).value} ({milliseconds(its.latency)}, {100 * its.misses:.0f} % late)"
    )


def _age_words(asked: Where, snapshot: Snapshot) -> str:
    age = snapshot.edge.age if asked is Where.EDGE else snapshot.cloud.age
    if not math.isfinite(age):
        return f"to see how quick the {asked.value} is"
    return f"to see how quick the {asked.value} is now, {age:.0f} s after its last answer"
