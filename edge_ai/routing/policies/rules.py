"""Rules an operator can predict: large images and weak results go to the cloud."""

from __future__ import annotations

from edge_ai.core.types import Result
from edge_ai.routing.decision import Decision, Snapshot, Where
from edge_ai.routing.lane import best_score
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import milliseconds, settled, unready


class RulesPolicy:
    """An image above ``max_edge_pixels`` goes to the cloud, every other stays; a weak result gets a second opinion."""

    def decide(self, snapshot: Snapshot, params: RouterParams) -> Decision:
        """Where a frame goes."""
        decision = settled(snapshot)
        if decision is not None:
            return decision
        size = f"image {snapshot.width}x{snapshot.height}"
        if snapshot.width * snapshot.height > params.max_edge_pixels:
            return Decision(Where.CLOUD, (f"{size} above {params.max_edge_pixels} px",))
        if snapshot.width * snapshot.height == 0:
            return Decision(Where.EDGE, ("image of unknown size",))
        return Decision(Where.EDGE, (f"{size} within {params.max_edge_pixels} px",))

    def second_opinion(self, snapshot: Snapshot, params: RouterParams, result: Result) -> Decision | None:
        """The cloud, for a result of the edge whose best score is low and where an answer can come in time."""
        if snapshot.override is not None or snapshot.budget <= 0 or unready(snapshot, Where.CLOUD):
            return None
        best = best_score(result)
        if not best < params.min_confidence:
            return None
        if snapshot.cloud.expected > snapshot.budget:
            return None
        words = f"best score {best:.2f} below {params.min_confidence:g}"
        return Decision(Where.CLOUD, (words, f"{milliseconds(snapshot.budget)} left for a second opinion"))
