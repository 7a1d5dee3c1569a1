"""Part `regret`: what the cost policy pays on replayed traces, against an oracle that knows the future."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cloud.replay import Replayed, alone, replay
from benchmarks.cloud.traces import KINDS, RECORDED, Floats, Trace, generate, read
from benchmarks.goals import Goal
from benchmarks.topic import Context, Report
from edge_ai.routing.params import RouterParams

_SIDES = ("edge", "cloud")
_SEEDS = (3, 12)
_BOUND = 0.10


def _names() -> tuple[str, ...]:
    return (*KINDS, "recorded") if RECORDED.exists() else tuple(KINDS)


GOALS = {
    **{name: Goal(f"regret of the cost policy, {name}", None, _BOUND, "lower") for name in _names()},
    "worst": Goal(
        "cost policy's cost over that of the better of always-edge and always-cloud, worst trace", None, 1.0, "lower"
    ),
}


@dataclass(frozen=True)
class Costs:
    """Costs of answers, by the weights of the parameters.

    What no choice could have avoided is left out: an accuracy is charged with what it lacks to the better side's, so
    that a regret is not made small by a cost that all pay alike.
    """

    params: RouterParams

    def of_answer(self, seconds: float, side: str, *, inferred: bool, sent: float) -> float:
        """What a frame cost.

        Args:
            seconds: from capture to answer; inf: none came in time.
            side: who answered; of no account where nobody did.
            inferred: whether the engine here worked on it.
            sent: bytes that went over the link for it.
        """
        p = self.params
        cost = (
            p.cost_energy * p.edge_energy * inferred + (p.cost_energy * p.cloud_energy + p.cost_bandwidth) * sent / 1e6
        )
        if seconds > p.deadline:
            return cost + p.cost_latency * p.deadline + p.cost_miss
        accuracy = p.edge_accuracy if side == "edge" else p.cloud_accuracy
        return cost + p.cost_latency * seconds + p.cost_accuracy * (max(p.edge_accuracy, p.cloud_accuracy) - accuracy)

    def alone(self, trace: Trace) -> tuple[Floats, Floats]:
        """(N,) costs of each frame if the edge, and if the cloud, had answered it with nothing else to do."""
        edge = [self.of_answer(float(s), "edge", inferred=True, sent=0) for s in trace.edge]
        cloud = [self.of_answer(float(s), "cloud", inferred=False, sent=trace.payload) for s in trace.cloud]
        return np.array(edge), np.array(cloud)

    def oracle(self, trace: Trace) -> float:
        """Mean cost for who knows all that is to come, each frame's cheaper side without any queue: a lower bound."""
        return float(np.minimum(*self.alone(trace)).mean())

    def paid(self, replayed: Replayed) -> float:
        """Mean cost of a replay."""
        return statistics.fmean(
            self.of_answer(one.seconds, one.side, inferred=one.inferred, sent=one.sent) for one in replayed.frames
        )


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Replay all traces; the values of the goals."""
    params = RouterParams(policy="cost")
    values: dict[str, float] = {}
    worst: list[float] = []
    report.results["regret"] = {}
    for name in _names():
        rows = [judge(trace, params) for trace in traces(name, int(context.pick(*_SEEDS)))]
        mean = {key: statistics.fmean(row[key] for row in rows) for key in rows[0]}
        values[name] = mean["cost"] / mean["oracle"] - 1
        worst.append(mean["cost"] / min(mean["edge"], mean["cloud"]))
        sides = {side: mean[side] / mean["oracle"] - 1 for side in _SIDES}
        report.results["regret"][name] = {"regret": values[name], "regret_alone": sides, "mean": mean, "parts": rows}
        regrets = ", ".join(f"{row['regret']:.1%}" for row in rows)
        context.say(
            f"{name}: regret {values[name]:.1%} ({regrets}); edge alone {sides['edge']:.0%}, cloud {sides['cloud']:.0%}"
        )
    return {**values, "worst": max(worst)}


def traces(name: str, seeds: int) -> Sequence[Trace]:
    """The parts of a trace, five minutes each: as many as there are seeds, or the one recorded."""
    return [read()] if name == "recorded" else [generate(name, seed) for seed in range(seeds)]


def judge(trace: Trace, params: RouterParams) -> dict[str, float]:
    """One trace under the policy of the parameters, under each side alone, and under the oracle."""
    costs = Costs(params)
    replayed = replay(trace, params)
    baselines = {side: costs.paid(alone(trace, side, params)) for side in _SIDES}
    oracle, cost = costs.oracle(trace), costs.paid(replayed)
    return {
        "oracle": oracle,
        "cost": cost,
        **baselines,
        "regret": cost / oracle - 1,
        "cloud_share": replayed.share("cloud"),
        "missed": replayed.missed / len(trace),
        "hedged": replayed.hedged / len(trace),
    }
