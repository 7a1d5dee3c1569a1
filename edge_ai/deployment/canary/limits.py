"""Whether every robot keeps every limit: yes, no, or not known yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.canary.evaluation import Evaluation, Figure
from edge_ai.deployment.canary.stages import LimitCheck

_SURE = math.log(1000)  # a share that is at its limit is called greater with a chance below 1 in 1000


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of a robot: a figure that is not kept, whether that is sure, and what is lacking to say so."""

    figure: float = math.nan
    beyond: bool = False
    lack: str = ""


_KEPT = _Answer()


def check_limits(criteria: Sequence[Criterion], looks: Sequence[Evaluation], hosts: Sequence[str]) -> LimitCheck:
    """Hold a stage's figures against the limits, robot by robot.

    A value breaches its limit when two looks in a row are beyond it; one alone is unknown. A share breaches it when the
    newest events, of one look or of more up to the whole stage, are surely too many, see `surely_more`; it is unknown
    while the stage's share is greater than the limit but not surely so, or has too few events.

    Args:
        criteria: the plan's.
        looks: of this stage, oldest first, at least one; none of them shares time with another.
        hosts: names of the robots with the new release; each has to have a figure in the newest look.
    """
    breached, unknown = [], []
    for criterion in criteria:
        told = [look.canary.get(criterion.name, {}) for look in reversed(looks)]
        answer = _of_share if criterion.query is None else _of_value
        answers = {host: answer(criterion, told, host) for host in hosts}
        if beyond := sorted((host for host in hosts if answers[host].beyond), key=lambda host: -answers[host].figure):
            worst = answers[beyond[0]].figure
            breached.append(f"{criterion.name} {worst:.4g} > {criterion.limit:g} on {_some(beyond)}")
        if fault := looks[-1].faults.get(criterion.name):
            unknown.append(f"{criterion.name}: {fault}")
            continue
        for lack in dict.fromkeys(one.lack for one in answers.values() if one.lack):
            lacking = _some([host for host in hosts if answers[host].lack == lack])
            unknown.append(f"{criterion.name}: {lack} {lacking}")
    return LimitCheck(tuple(breached), tuple(unknown))


def surely_more(bad: float, total: float, limit: float, block: int = 1) -> bool:
    """Whether so many bad events show that their share is greater than the limit, with 99.9 %.

    That is Chernoff's bound (Hoeffding 1963, "Probability inequalities for sums of bounded random variables", theorem
    1): exp(-n KL(share, limit)). It holds for any numbers, where Wilson's interval is too sure of few and rare events,
    and it needs no quantiles.

    Args:
        bad: how many.
        total: of how many.
        limit: 0 to 1.
        block: events in a row that go wrong together: there are total / block independent ones.
    """
    share = min(bad / total, 1.0) if total else 0.0
    if share <= limit:
        return False
    if limit <= 0:
        return True
    divergence = share * math.log(share / limit)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - limit))
    return total / block * divergence > _SURE


def _of_value(criterion: Criterion, newest_first: Sequence[Mapping[str, Figure]], host: str) -> _Answer:
    newest, before = newest_first[0].get(host), newest_first[1].get(host) if newest_first[1:] else None
    if newest is None:
        return _Answer(lack="no figures of")
    if not _beyond(criterion, newest):
        return _KEPT
    if _beyond(criterion, before):
        return _Answer(newest[0], beyond=True)
    return _Answer(lack=f"more than {criterion.limit:g} at one look, on")


def _of_share(criterion: Criterion, newest_first: Sequence[Mapping[str, Figure]], host: str) -> _Answer:
    newest, limit = newest_first[0].get(host), 1.0 if criterion.limit is None else criterion.limit
    if newest is None:
        return _Answer(lack="no figures of")
    bad = total = 0.0
    for figures in newest_first:
        if (more := figures.get(host)) is not None:
            bad, total = bad + more[0], total + more[1]
            if bad > limit * total and surely_more(bad, total, limit, criterion.block):
                return _Answer(bad / total, beyond=True)
    if newest[1] <= 0:
        return _Answer(lack="no events of")
    if total < criterion.least:
        return _Answer(lack=f"fewer than {criterion.least} events of")
    if bad > limit * total:
        return _Answer(lack=f"more than {limit:g} of too few events to be sure, on")
    return _KEPT


def _beyond(criterion: Criterion, figure: Figure | None) -> bool:
    return figure is not None and criterion.limit is not None and figure[0] > criterion.limit


def _some(hosts: Sequence[str], most: int = 5) -> str:
    more = f" and {len(hosts) - most} more" if len(hosts) > most else ""
    return ", ".join(hosts[:most]) + more
