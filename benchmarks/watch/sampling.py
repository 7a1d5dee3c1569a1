"""Part `sampling`: how much slower a robot that takes all it can get is while it is sampled, 150 threads alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figures import calm, median
from benchmarks.goals import Goal
from benchmarks.processes import Side
from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.monitoring.profiling.sampling import SAMPLERS, sampler_for

GOALS = {
    "slowdown": Goal("sampling on demand, 150 threads alive: results/s lost, %", None, 2.0, "lower"),
    "processor": Goal("sampling on demand, 150 threads alive: processor time of a result added, %", None, 2.0, "lower"),
}
THREADS, CAMERA_HZ = 150, 300.0
CALM, LEAST = 0.3, 6
"""As for topic `realtime`: rounds in which others kept no more processors busy, if there are so many of them."""
Answer = Mapping[str, Any]


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Each sampler and none in turns, in one process; the values of the goals, for the default sampler."""
    log = context.folder / "watch.log"
    setup = {
        "video": find_video(context.say),
        "rate": CAMERA_HZ,
        "threads": THREADS,
        "folder": str(context.folder / "profiles"),
    }
    kinds = SAMPLERS.names()
    seconds, rounds = context.pick(3.0, 5.0), int(context.pick(6, 24))
    pairs: dict[str, list[tuple[Answer, Answer]]] = {kind: [] for kind in kinds}
    with Side("benchmarks.sides.sampled", setup, log) as side:

        def turn(kind: str) -> Answer:
            rate = sampler_for(kind).rate if kind else 0.0
            return side.measure(sampler=kind, rate=rate, seconds=seconds, warm=0.3)

        turn("")
        for number in range(rounds):
            if number and not context.before(1.0):
                break
            for kind in kinds:
                first = number % 2 == 0
                taken = [turn("" if first else kind), turn(kind if first else "")]
                pairs[kind].append((taken[0], taken[1]) if first else (taken[1], taken[0]))
            context.say(
                f"sampling {number + 1}/{rounds}: {_words({kind: found[-1:] for kind, found in pairs.items()})}"
            )
    if any(answer["threads"] < THREADS for found in pairs.values() for pair in found for answer in pair):
        raise MeasurementError(f"fewer than {THREADS} threads were alive")
    figures = {kind: judged(found) for kind, found in pairs.items()}
    report.results["sampling"] = {
        "threads": THREADS,
        "seconds_of_a_turn": seconds,
        "sides": {
            kind: {"what": f"{kind} at {sampler_for(kind).rate:g} samples/s, its page written", **one}
            for kind, one in figures.items()
        },
    }
    context.say(f"sampling, medians: {_words(pairs)}")
    default = figures[kinds[0]]
    return {"slowdown": default["slowdown_percent"], "processor": default["processor_percent"]}


def judged(pairs: Sequence[tuple[Answer, Answer]]) -> dict[str, Any]:
    """What pairs of turns say, unsampled and sampled: medians of the ratios within the calm pairs."""
    busy = [max(answer["others_cores"] for answer in pair) for pair in pairs]
    chosen = calm(busy, CALM, LEAST)
    slowdowns = [100 * (1 - _rate(pairs[i][1]) / _rate(pairs[i][0])) for i in chosen]
    added = [100 * (_cost(pairs[i][1]) / _cost(pairs[i][0]) - 1) for i in chosen]
    return {
        "slowdown_percent": median(slowdowns),
        "processor_percent": median(added),
        "slowdown_percent_by_round": slowdowns,
        "processor_percent_by_round": added,
        "results_per_s": median([_rate(pairs[i][0]) for i in chosen]),
        "others_cores_by_round": busy,
        "message": pairs[-1][1]["message"],
    }


def _rate(answer: Answer) -> float:
    if not answer["results"]:
        raise MeasurementError("the robot gave no results")
    return float(answer["results"]) / float(answer["seconds"])


def _cost(answer: Answer) -> float:
    return float(answer["cpu_s"]) / max(1, answer["results"])


def _words(pairs: Mapping[str, Sequence[tuple[Answer, Answer]]]) -> str:
    shown = {kind: judged(found) for kind, found in pairs.items()}
    return "; ".join(
        f"{kind} {one['slowdown_percent']:+.1f} % of {one['results_per_s']:.1f} results/s lost, "
        f"{one['processor_percent']:+.1f} % processor time"
        for kind, one in shown.items()
    )
