"""By what a release is judged: queries to Prometheus, their limits, and what is asked where a plan says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import Field, model_validator

from edge_ai.deployment.plan_file import Entry


class Criterion(Entry):
    """One figure of each robot; less is better.

    In every query ``$group`` stands for the label matcher of the robots that are asked, ``$label`` for the label that
    tells robots apart (to group by), ``$window`` for the time since the last evaluation as Prometheus writes it ("30s")
    and ``$seconds`` for the same as a number.

    Attributes:
        name: for people and the audit log.
        query: gives a value of each robot; of several series of one robot the greatest counts.
        bad: gives how many events of each robot went wrong in the window; several series are added up.
        total: gives how many there were; with ``bad`` in place of ``query``.
        against: gives what the release before would have given on the same frames of the same robots, as a shadow run
            measures it; then these are compared in pairs, not with other robots.
        limit: the greatest value, or share of bad events, that will do; None: it is only compared.
        least: events of a robot in a stage without which its share is unknown; 300 without a bad one show a share below
            1 % (rule of three, 95 %).
        block: events in a row that count as one, since they go wrong together; independent ones: 1.
        compared: whether the judge compares it with the stable group, or the limit alone counts.
    """

    name: str = Field(min_length=1)
    query: str | None = None
    bad: str | None = None
    total: str | None = None
    against: str | None = None
    limit: float | None = None
    least: int = Field(300, ge=1)
    block: int = Field(8, ge=1)
    compared: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Criterion:
        if (self.query is None) == (self.bad is None) or (self.bad is None) != (self.total is None):
            raise ValueError("'query' is wanted, or both 'bad' and 'total'")
        if self.against is not None and self.query is None:
            raise ValueError("'against' goes with 'query'")
        if self.limit is None and not self.compared:
            raise ValueError("a criterion that is not compared wants a 'limit'")
        for query in (self.query, self.bad, self.total, self.against):
            if query is not None and "$group" not in query:
                raise ValueError(f"'$group' is wanted in '{query}', or it asks all robots alike")
        return self


def filled(query: str, instances: Iterable[str], label: str, window: float) -> str:
    """A query of a criterion, for some robots.

    Args:
        query: with ``$group``, ``$label``, ``$window`` and ``$seconds``.
        instances: what their label says, with or without a port.
        label: that tells robots apart.
        window: s.
    """
    names = "|".join(re.escape(name) for name in instances).replace("\\", "\\\\").replace('"', '\\"')
    filling = {
        "$group": f'{label}=~"({names})(:[0-9]+)?"',
        "$label": label,
        "$window": f"{round(window * 1000)}ms",
        "$seconds": f"{window:g}",
    }
    return re.sub(r"\$(?:group|label|window|seconds)\b", lambda match: filling[match.group()], query)


_ANSWERING = 'node=~"(.*/)?(pipeline|inference)"'
_FAILED = f"avg_over_time(edge_ai_node_failed_frames_per_second{{$group,{_ANSWERING}}}[$window])"
_RESULTS = f"avg_over_time(edge_ai_node_results_per_second{{$group,{_ANSWERING}}}[$window])"
_AGE = f'avg_over_time(edge_ai_node_age_seconds{{$group,percentile="95",{_ANSWERING}}}[$window])'

DEFAULTS: Sequence[Criterion] = (
    Criterion(
        name="error rate",
        bad=f"sum by ($label) ({_FAILED}) * $seconds",
        total=f"(sum by ($label) ({_FAILED}) + sum by ($label) ({_RESULTS})) * $seconds",
        limit=0.01,
    ),
    Criterion(name="latency", query=f"max by ($label) ({_AGE})", limit=0.100),
    Criterion(name="cpu", query="avg_over_time(edge_ai_cpu_usage_ratio{$group}[$window])", limit=0.80, compared=False),
    Criterion(
        name="memory", query="avg_over_time(edge_ai_memory_usage_ratio{$group}[$window])", limit=0.85, compared=False
    ),
)
"""What is asked of the monitors' own metrics where a plan has no criteria."""
