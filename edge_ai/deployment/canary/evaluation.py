"""One look at the figures of both groups: what was found, and what the judge is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.judge.judge import Counts, Window

Figure = tuple[float, ...]
"""A value, or how many events were bad and how many there were."""
Figures = Mapping[str, Mapping[str, Figure]]
"""By criterion and robot; what is not there could not be had."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found at one moment.

    Attributes:
        canary: figures of the robots with the new release.
        stable: of the others; for a criterion with ``against``, of the new release's robots as they would be without.
        faults: what kept a criterion from being asked, in words, by its name.
    """

    canary: Figures = field(default_factory=dict)
    stable: Figures = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def as_facts(self) -> dict[str, Any]:
        """Plain data for a journal."""
        return {"canary": self.canary, "stable": self.stable, "faults": self.faults}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Evaluation:
        """The same from a journal."""
        return cls(_tuples(facts["canary"]), _tuples(facts["stable"]), facts["faults"])


def windows(criteria: Iterable[Criterion], evaluation: Evaluation) -> Iterator[Window]:
    """What a judge is told of an evaluation; a group without figures is told as empty."""
    for criterion in criteria:
        stable, canary = (group.get(criterion.name, {}) for group in (evaluation.stable, evaluation.canary))
        if criterion.query is None:
            yield Window(criterion.name, _counts(stable), _counts(canary))
        else:
            paired = [(stable[host][0], canary[host][0]) for host in canary if host in stable]
            yield Window(criterion.name, [v for (v,) in stable.values()], [v for (v,) in canary.values()], paired)


def _counts(group: Mapping[str, Figure]) -> Counts:
    return Counts(round(sum(bad for bad, _ in group.values())), round(sum(total for _, total in group.values())))


def _tuples(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> Figures:
    return {name: {host: tuple(values) for host, values in hosts.items()} for name, hosts in figures.items()}
