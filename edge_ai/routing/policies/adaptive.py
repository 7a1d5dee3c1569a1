"""As much here as this machine can bear, the rest in the cloud."""

from __future__ import annotations

from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, SideState, Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import milliseconds, settled

_TRIAL = 0.02
"""Share of the frames that a side gets however bad it is thought to be: without answers it could not get better."""
_FRESH, _OLD_TRIAL = 2.0, 0.1  # the share once the last answer is older than so many seconds
_HOT = 5.0  # degrees above the limit at which all frames go
_SLOW = 0.25  # of the limit, the same


class AdaptivePolicy:
    """Frames of high priority stay; with a busy, hot or slow machine others go to the cloud.

    The share that goes grows with the excess over the limit, from none at the limit to all halfway between the limit
    and a full load (5 degrees, a quarter of the limit for latencies): a machine finds the share at which it is busy but
    not too busy instead of swinging between all and nothing, and robots in the same state do not turn in step. The
    share shrinks as the cloud becomes slower than the latency bound and the edge does not: servers that many robots
    share lose some of each robot's frames before they lose all of them. Requests under way count for it: they show at
    once what latencies show only when the answers are there; without them robots that share a server swing in step.
    Swings of a single machine stay away if the loads of the snapshot are smoothed over several of their samples.
    """

    one_opinion = True

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""
        decision = settled(snapshot)
        if decision is not None:
            return decision
        if snapshot.priority >= 2:
            return Decision(Where.EDGE, ("high priority",))
        share, why = _excess(snapshot, params)
        if share <= 0:
            return Decision(Where.EDGE, (why,))
        here, there = (_ease(side, snapshot, params) for side in (snapshot.edge, snapshot.cloud))
        late = there < here
        if late:
            trial = _TRIAL if snapshot.cloud.age <= _FRESH else _OLD_TRIAL
            share *= max(trial, there / here)
        goes = snapshot.draw < share
        words: tuple[str, ...] = (f"{100 * share:.0f} % of the frames go as {why}",)
        if late:
            busy = f"{milliseconds(snapshot.cloud.expected)} with {snapshot.cloud.in_flight} requests under way"
            words = (f"the cloud takes {busy}, above {milliseconds(params.latency_bound)}", *words)
        if goes:
            # The edge is asked too where the cloud is not expected to make it.
            return Decision(Where.CLOUD, words[::-1], exploring=there == 0 < here)
        return Decision(Where.EDGE, words, exploring=here == 0 < there)

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


def _ease(side: SideState, snapshot: Snapshot, params: RouterParams) -> float:
    """How well a side keeps up: 1 up to the bound, or where nothing is known; 0 from three times the bound on."""
    full, none = min(params.latency_bound, snapshot.budget / 3), min(3 * params.latency_bound, snapshot.budget)
    takes = side.expected * (1 + side.in_flight / 2)
    return min(1.0, max(0.0, (none - takes) / (none - full))) if takes > full else 1.0
