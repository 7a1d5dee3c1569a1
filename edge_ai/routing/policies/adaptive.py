"""As much here as this machine can bear, the rest in the cloud."""

from __future__ import annotations

from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import milliseconds, miss, settled

_TRIAL = 0.02
"""Share of the frames that a side gets however bad it is thought to be: without answers it could not get better."""
_HOT = 5.0  # degrees above the limit at which all frames go
_SLOW = 0.25  # of the limit, the same


class AdaptivePolicy:
    """Frames of high priority stay; with a busy, hot or slow machine others go to the cloud.

    The share that goes grows with the excess over the limit, from none at the limit to all halfway between the limit
    and a full load (5 degrees, a quarter of the limit for latencies): a machine finds the share at which it is busy but
    not too busy instead of swinging between all and nothing, and robots in the same state do not turn in step. The
    share shrinks by the probability that the cloud misses the deadline where the edge would not: servers that many
    robots share lose some of each robot's frames before they lose all of them. Swings stay away if the loads of the
    snapshot are smoothed over several of their samples.
    """

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""
        decision = settled(snapshot, params)
        if decision is not None:
            return decision
        if snapshot.priority >= 2:
            return Decision(Where.EDGE, ("high priority",))
        share, why = _excess(snapshot, params)
        if share <= 0:
            return Decision(Where.EDGE, (why,))
        missed, here = _missed(snapshot, "cloud"), _missed(snapshot, "edge")
        if missed > here:
            share *= max(_TRIAL, (1 - missed) / (1 - here))
        if snapshot.draw < share:
            return Decision(Where.CLOUD, (why,))
        kept = f"{100 * (1 - share):.0f} % of the frames stay"
        if missed > here:
            late = f"the cloud takes {milliseconds(snapshot.cloud.expected)}, {milliseconds(snapshot.budget)} are left"
            return Decision(Where.EDGE, (late, f"{kept} although {why}"))
        return Decision(Where.EDGE, (f"{kept} although {why}",))

    def second_opinion(self, snapshot: Snapshot, params: RouterParams, result: Result) -> Decision | None:
        """None: scores do not matter to this policy."""
        return None


def _excess(snapshot: Snapshot, params: RouterParams) -> tuple[float, str]:
    """The share of frames for the cloud by what weighs most, and what that is in words."""
    load, most = snapshot.load, params.max_load
    width = max((1 - most) / 2, 0.01)
    share, why = 0.0, "edge within its limits"
    for name, value in (("CPU", load.cpu), ("GPU", load.gpu), ("memory", load.memory)):
        if value > most and (value - most) / width > share:
            share, why = (value - most) / width, f"{name} load {value:.2f} above {most:g}"
    hottest = load.temperature
    if hottest > params.max_temperature and (hottest - params.max_temperature) / _HOT > share:
        share = (hottest - params.max_temperature) / _HOT
        why = f"{hottest:.0f} degC above {params.max_temperature:g} degC"
    bound, takes = 2 * params.latency_bound, snapshot.edge.expected
    if takes > bound and (takes / bound - 1) / _SLOW > share:
        share = (takes / bound - 1) / _SLOW
        why = f"edge takes {milliseconds(takes)}, above twice {milliseconds(params.latency_bound)}"
        return min(share, 1 - _TRIAL), why
    return min(share, 1.0), why


def _missed(snapshot: Snapshot, name: str) -> float:
    side = snapshot.cloud if name == "cloud" else snapshot.edge
    return miss(side.expected, side.spread, snapshot.budget)
