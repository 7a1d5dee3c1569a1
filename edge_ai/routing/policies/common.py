"""What is true for every policy: the operator's word, sides that cannot be asked, frames that are too old."""

from __future__ import annotations

import math

from edge_ai.routing.decision import Decision, SideState, Snapshot, Where

_LEAST_SPREAD = 1e-4  # s


def settled(snapshot: Snapshot) -> Decision | None:
    """The decision where a policy has no choice; None: both sides may be asked and nobody has chosen."""
    override = snapshot.override
    if override is Where.SKIP:
        return Decision(Where.SKIP, ("the operator has frames skipped",))
    if snapshot.budget <= 0:
        return Decision(Where.SKIP, (f"too old, {milliseconds(snapshot.age)} after its capture",))
    edge, cloud = unready(snapshot, Where.EDGE), unready(snapshot, Where.CLOUD)
    if edge and cloud:
        return Decision(Where.SKIP, (edge, cloud))
    if override is not None:
        hindered = edge if override is Where.EDGE else cloud
        wanted = f"the operator wants the {override.value}"
        if not hindered:
            return Decision(override, (wanted,))
        return Decision(other(override), (hindered, wanted))
    if edge:
        return Decision(Where.CLOUD, (edge,))
    if cloud:
        return Decision(Where.EDGE, (cloud,))
    return None


def unready(snapshot: Snapshot, where: Where) -> str:
    """Why a side cannot be asked now; empty: it can."""
    side = side_of(snapshot, where)
    return "" if side.ready else f"the {where.value} is not ready: {side.why or 'it does not say why'}"


def side_of(snapshot: Snapshot, where: Where) -> SideState:
    """What is known of the edge or of the cloud."""
    return snapshot.edge if where is Where.EDGE else snapshot.cloud


def other(where: Where) -> Where:
    """The cloud for the edge and the other way round."""
    return Where.CLOUD if where is Where.EDGE else Where.EDGE


def miss(expected: float, spread: float, budget: float) -> float:
    """Probability that an answer comes after its budget, by the tail of a normal distribution.

    Args:
        expected: s; not finite: nothing known, which is no reason to expect a miss.
        spread: s.
        budget: s; not finite: there is no deadline.
    """
    if not math.isfinite(expected) or not math.isfinite(budget):
        return 0.0
    sigma = spread if _LEAST_SPREAD < spread < math.inf else _LEAST_SPREAD
    return 0.5 * math.erfc((budget - expected) / sigma / math.sqrt(2))


def milliseconds(seconds: float) -> str:
    """A time as operators read it: "31 ms"."""
    return f"{1e3 * seconds:.0f} ms"
