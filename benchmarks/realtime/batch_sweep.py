"""Adaptive batching against every fixed size and wait, under three loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import calm, in_ms, median
from benchmarks.processes import Side
from benchmarks.realtime.rounds import CALM, LEAST
from benchmarks.topic import Context

Policy = list[Any]
ADAPTIVE = "adaptive"
FINALISTS = 2
_LEARNING = 4
_SEED = 5


@dataclass(frozen=True)
class Load:
    """Items that come at random (Poisson).

    Attributes:
        name: "light", "medium" or "heavy".
        rate: items a second.
        deadline: seconds from when an item is due to be sent to its result, or None.
    """

    name: str
    rate: float
    deadline: float | None = None

    def cost(self, answer: Mapping[str, Any]) -> float:
        """What is to be small: the mean time, or with a deadline items sent for each that was answered in time."""
        if self.deadline is not None:
            return float(answer["sent"]) / max(answer["in_time"], 1)
        return sum(answer["times"]) / len(answer["times"]) if answer["times"] else float("nan")


def loads(curve: Mapping[int, float]) -> list[Load]:
    """The three loads of an engine.

    Args:
        curve: seconds by batch size.
    """
    capacity = max(size / seconds for size, seconds in curve.items())
    patience = 4 * curve[max(curve)]
    return [Load("light", 0.25 / curve[1]), Load("medium", 0.4 * capacity), Load("heavy", 0.9 * capacity, patience)]


def fixed(curve: Mapping[int, float], waits: Sequence[float], load: Load) -> list[Policy]:
    """The sizes and waits worth trying: those with which the engine can keep up, at least the fastest.

    Args:
        curve: seconds by batch size; its sizes are tried.
        waits: in times of a single item.
        load: whose rate is to be kept up with.
    """
    fastest = max(curve, key=lambda size: size / curve[size])
    sizes = [size for size in curve if size == fastest or size / curve[size] > 1.05 * load.rate]
    tried = [["fixed", size, round(wait * curve[1], 4)] for size in sizes for wait in waits]
    return [policy for policy in tried if policy[1] > 1 or policy[2] == 0]


def compare(context: Context, side: Side, load: Load, policies: Sequence[Policy], most: int) -> dict[str, Any]:
    """Let the adaptive policy learn, try each policy once, then let the best take turns with the adaptive one.

    Args:
        context: how to measure.
        side: the engine.
        load: what comes in.
        policies: fixed ones.
        most: items in a batch at most, for the adaptive one.

    Returns:
        What was found, with ``over_best``: the adaptive policy's cost over the best fixed one's, the median of rounds.
    """
    adaptive: Policy = [ADAPTIVE, most]
    short = {"warm": context.pick(0.3, 0.5), "seconds": context.pick(0.8, 1.5)}
    # What is learnt in a moment is used for hours: the moment is not judged.
    _turn(side, load, adaptive, _SEED, {**short, "seconds": _LEARNING * short["seconds"]})
    found = {str(policy): load.cost(_turn(side, load, policy, _SEED, short)) for policy in [adaptive, *policies]}
    best = sorted(policies, key=lambda policy: found[str(policy)])[:FINALISTS]
    long = {"warm": context.pick(0.3, 0.7), "seconds": context.pick(1.0, 3.0)}
    answers: dict[str, list[dict[str, Any]]] = {str(policy): [] for policy in [adaptive, *best]}
    for number in range(int(context.pick(3, 5))):
        if number and not context.before(1.0):
            break
        for policy in [adaptive, *best] if number % 2 else [*reversed(best), adaptive]:
            answers[str(policy)].append(_turn(side, load, policy, _SEED + number, long))
    return {"load": load.name, "rate": load.rate, "sweep": found, **judged(load, answers, str(adaptive))}


def judged(load: Load, answers: Mapping[str, Sequence[Mapping[str, Any]]], adaptive: str) -> dict[str, Any]:
    """What the rounds say: the best fixed policy of the calm ones, and the adaptive one over it, round by round."""
    rounds = list(zip(*answers.values(), strict=True))
    busy = [max(answer["others_cores"] for answer in taken) for taken in rounds]
    chosen = calm(busy, CALM, LEAST)
    costs = {name: [load.cost(given[i]) for i in chosen] for name, given in answers.items()}
    best = min((name for name in costs if name != adaptive), key=lambda name: median(costs[name]))
    ratios = [own / other for own, other in zip(costs[adaptive], costs[best], strict=True)]
    return {
        "best": best,
        "over_best": median(ratios),
        "over_best_by_round": ratios,
        "others_cores_by_round": busy,
        "sides": {name: _summary(load, [given[i] for i in chosen]) for name, given in answers.items()},
    }


def _turn(side: Side, load: Load, policy: Policy, seed: int, turn: Mapping[str, float]) -> dict[str, Any]:
    return side.measure(kind="load", policy=policy, rate=load.rate, deadline=load.deadline, seed=seed, **turn)


def _summary(load: Load, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sizes: dict[str, int] = {}
    for answer in answers:
        for size, count in answer["sizes"].items():
            sizes[size] = sizes.get(size, 0) + count
    return {
        "time_ms": in_ms([took for answer in answers for took in answer["times"]]),
        "mean_ms": median([1e3 * sum(a["times"]) / max(len(a["times"]), 1) for a in answers]),
        "in_time": sum(answer["in_time"] for answer in answers) / max(sum(answer["sent"] for answer in answers), 1),
        "batches_by_size": sizes,
        "cost": median([load.cost(answer) for answer in answers]),
    }
