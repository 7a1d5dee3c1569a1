"""One look at the figures of both groups: what was found, what is beyond a limit, and what the judge is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.canary.stages import LimitCheck
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


def check_limits(criteria: Sequence[Criterion], evaluations: Sequence[Evaluation], hosts: Sequence[str]) -> LimitCheck:
    """Hold the newest evaluation against the limits, robot by robot.

    Args:
        criteria: the plan's.
        evaluations: of this stage, oldest first, at least one. Shares are of as many of the newest as give
            the least number of events.
        hosts: names of the robots with the new release; each has to have a figure.
    """
    breached, unknown = [], []
    for criterion in criteria:
        values = {host: _value(criterion, host, evaluations) for host in hosts}
        if fault := evaluations[-1].faults.get(criterion.name):
            unknown.append(f"{criterion.name}: {fault}")
        elif silent := [host for host, value in values.items() if math.isnan(value)]:
            unknown.append(f"{criterion.name}: {_why(criterion, evaluations[-1], silent)} of {_some(silent)}")
        if beyond := [host for host, value in values.items() if _beyond(criterion, value)]:
            worst = max(beyond, key=lambda host: values[host])
            found = f"{values[worst]:.4g} > {criterion.limit:g}"
            breached.append(f"{criterion.name} {found} on {_some([worst, *(h for h in beyond if h != worst)])}")
    return LimitCheck(tuple(breached), tuple(unknown))


def windows(criteria: Iterable[Criterion], evaluation: Evaluation) -> Iterator[Window]:
    """What a judge is told of an evaluation; a group without figures is told as empty."""
    for criterion in criteria:
        stable, canary = (group.get(criterion.name, {}) for group in (evaluation.stable, evaluation.canary))
        if criterion.query is None:
            yield Window(criterion.name, _counts(stable), _counts(canary))
        else:
            paired = [(stable[host][0], canary[host][0]) for host in canary if host in stable]
            yield Window(criterion.name, [v for (v,) in stable.values()], [v for (v,) in canary.values()], paired)


def _value(criterion: Criterion, host: str, evaluations: Sequence[Evaluation]) -> float:
    """A robot's value or share; NaN: unknown, also where nothing happened since the evaluation before."""
    newest = evaluations[-1].canary.get(criterion.name, {}).get(host)
    if newest is None:
        return math.nan
    if criterion.query is not None:
        return newest[0]
    if newest[1] <= 0:
        return math.nan
    bad = total = 0.0
    for evaluation in reversed(evaluations):
        more = evaluation.canary.get(criterion.name, {}).get(host, (0.0, 0.0))
        bad, total = bad + more[0], total + more[1]
        if total >= criterion.least:
            return bad / total
    return math.nan


def _beyond(criterion: Criterion, value: float) -> bool:
    return criterion.limit is not None and value > criterion.limit


def _why(criterion: Criterion, newest: Evaluation, silent: Sequence[str]) -> str:
    told = newest.canary.get(criterion.name, {})
    if criterion.query is None and all(host in told for host in silent):
        return f"fewer than {criterion.least} events"
    return "no figures"


def _some(hosts: Sequence[str], most: int = 5) -> str:
    more = f" and {len(hosts) - most} more" if len(hosts) > most else ""
    return ", ".join(hosts[:most]) + more


def _counts(group: Mapping[str, Figure]) -> Counts:
    return Counts(round(sum(bad for bad, _ in group.values())), round(sum(total for _, total in group.values())))


def _tuples(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> Figures:
    return {name: {host: tuple(values) for host, values in hosts.items()} for name, hosts in figures.items()}
