"""Results a second of the composed pipeline against a bare loop over the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from benchmarks.figures import calm, median, percentile
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import COMPOSED, Bench
from benchmarks.processes import Side

GOALS = {"ratio": Goal("composed pipeline_node: results/s over the bare loop's", None, 0.95, "higher")}
_FAST = 1000.0
CALM = 0.3
"""Processors that others may keep busy in a round that is judged, where there are at least `LEAST` such rounds."""
LEAST = 3
SIDES = {
    "bare": "preprocess + session.run on one thread, the pipeline's session settings",
    "bare_spinning": "the same with threads that spin",
    "robot": "edge_ai.robot.Robot, no ROS, camera as fast as consumed",
    "pipeline_node": "pipeline_node over DDS, one subscriber to inference/results, camera as fast as consumed",
    "pipeline_node_unheard": "the same without any subscriber, counted by its own diagnostics",
}


def measure(bench: Bench) -> dict[str, float]:
    """Let all sides stand ready, have them work in turns too short for the machine to change, compare by round."""
    context = bench.context
    turn = {"warm": context.pick(0.3, 0.5), "seconds": context.pick(1.0, 1.5)}
    rounds = int(context.pick(5, 20))
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    others: list[float] = []
    periods: dict[str, list[float]] = {side: [] for side in SIDES}
    with ExitStack() as stack:
        sides: dict[str, Side] = {
            "bare": stack.enter_context(bench.bare()),
            "bare_spinning": stack.enter_context(bench.bare(spinning="long")),
            "robot": stack.enter_context(bench.robot(_FAST, realtime=False)),
            "pipeline_node": stack.enter_context(
                bench.nodes(COMPOSED, ["results"], {"source": bench.replay(_FAST), "realtime": False})
            ),
        }
        turns = {side: (sides[side], turn) for side in sides}
        # Diagnostics come once a second; it takes two of them to tell a rate.
        turns["pipeline_node_unheard"] = sides["pipeline_node"], {**turn, "seconds": 2.2, "unheard": True}
        for number in range(-1, rounds):
            if number > 0 and not context.before(0.3):
                break
            order = list(turns) if number % 2 else list(reversed(turns))
            answers = {side: turns[side][0].measure(**turns[side][1]) for side in order}
            if number < 0:  # the first of all turns loads and warms up
                continue
            others.append(max(answer["others_cores"] for answer in answers.values()))
            for side, answer in answers.items():
                taken = _periods(answer)
                rates[side].append(len(taken) / sum(taken) if taken else float("nan"))
                periods[side] += taken
            shown = ", ".join(f"{side} {values[-1]:.1f}" for side, values in rates.items())
            context.say(f"throughput {number + 1}/{rounds}, results/s: {shown}; others busy on {others[-1]:.1f} cores")
    chosen = calm(others, CALM, LEAST)
    used = {side: [values[i] for i in chosen] for side, values in rates.items()}
    ratios = ratio_by_round(used, "bare")
    better = [max(pair) for pair in zip(used["bare"], used["bare_spinning"], strict=True)]
    bench.report.results["throughput"] = {
        "sides": SIDES,
        "turn": turn,
        "others_cores_by_round": others,
        "rounds_judged": chosen,
        "results_per_s": {side: median(values) for side, values in used.items()},
        "results_per_s_by_round": rates,
        # What a frame takes where nothing else disturbs it.
        "quiet_frame_ms_p10": {side: percentile(taken, 10) * 1e3 for side, taken in periods.items()},
        "over_bare": {side: median(values) for side, values in ratios.items()},
        "pipeline_node_over_better_bare": median(
            [node / bare for node, bare in zip(used["pipeline_node"], better, strict=True)]
        ),
    }
    return {"ratio": median(ratios["pipeline_node"])}


def _periods(answer: Mapping[str, Any]) -> list[float]:
    """Seconds from each result to the next."""
    if "durations" in answer:
        return list(answer["durations"])
    if "processed" in answer and "results" not in answer:
        said = answer["processed"]
        results = said[-1]["count"] - said[0]["count"] if said else 0
        return [(said[-1]["at"] - said[0]["at"]) / results] * results if results else []
    instants = answer["instants"] if "instants" in answer else [one["at"] for one in answer["results"]]
    return [after - before for before, after in pairwise(instants)]


def ratio_by_round(rates: Mapping[str, Sequence[float]], base: str) -> dict[str, list[float]]:
    """Each side's rate over the base's of the same round."""
    return {
        side: [value / below for value, below in zip(values, rates[base], strict=True)]
        for side, values in rates.items()
    }
