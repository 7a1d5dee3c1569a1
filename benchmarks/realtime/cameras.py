"""Four cameras on one model, against one camera of the same rate in all, and with a fifth that hangs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.figures import median
from benchmarks.goals import Goal
from benchmarks.processes import Side, executable, nodes
from benchmarks.realtime import limit
from benchmarks.realtime.bench import VGA, Answer, Bench, Turn
from benchmarks.realtime.composed import ABOVE, limit_rates
from benchmarks.realtime.rounds import Rounds, run

GOALS = {
    "fair": Goal("four cameras: Jain's fairness index of their results", None, 0.98, "higher"),
    "total": Goal("four cameras: results/s over one camera's", None, 0.97, "higher"),
    "fair_hung": Goal("four cameras and one that hangs: Jain's fairness index of the four", None, 0.98, "higher"),
    "total_hung": Goal("four cameras and one that hangs: results/s over one camera's", None, 0.97, "higher"),
}
FOUR = ("front", "left", "right", "rear")
SIDES = {
    "one": "one camera into an inference node that knows of six",
    "four": "four cameras, in all as many images a second",
    "four, one hung": "four cameras and a fifth whose process is stopped (SIGSTOP) while it captures",
}


def measure(bench: Bench) -> dict[str, float]:
    """All sides share the nodes, and the cameras that are not wanted rest."""
    setting = limit.node_settings(bench)["latency"]
    rate = ABOVE * limit_rates(bench)["latency"]
    rates = {"solo": rate, **dict.fromkeys(FOUR, rate / 4), "hung": rate / 4}
    topics = [f"{name}/raw_results" for name in rates]
    with nodes(bench.context.folder / "nodes" / "cameras") as stack:
        model = stack.start(executable("inference"), params={**setting.params, "cameras": list(rates)})
        started = {
            name: stack.start(
                executable("camera"),
                label=name,
                params={"source": bench.source(hz, VGA)},
                remaps={"__ns": f"/{name}"},
            )
            for name, hz in rates.items()
        }
        names = ["inference", *(f"{name}/camera" for name in rates)]
        with Side("benchmarks.sides.probe", {"nodes": names, "topics": topics}, bench.log, stack.env) as probe:

            def side(cameras: Sequence[str], **how: Any) -> Turn:
                pids = [model.pid, *(started[name].pid for name in cameras)]
                active = ["inference", *(f"{name}/camera" for name in cameras)]
                return lambda warm, seconds: _heard(
                    probe.measure(warm=warm, seconds=seconds, pids=pids, nodes=active, **how), cameras
                )

            turns = {
                "one": side(["solo"]),
                "four": side(FOUR),
                "four, one hung": side([*FOUR, "hung"], hung=started["hung"].pid),
            }
            lengths = {"count": int(bench.context.pick(3, 8)), "warm": 0.7, "seconds": bench.context.pick(1.5, 3.0)}
            rounds = run(bench, "cameras", turns, **lengths)
    counts = {name: _counts(rounds, name) for name in turns}
    bench.report.results["cameras"] = {"camera_hz_in_all": rate, **rounds.report(SIDES), "by_camera": counts}
    bench.draw(
        {
            "title": f"Cameras on one model, {rate:.0f} images a second in all: results of each",
            "unit": "results/s",
            "legend": list(FOUR),
            "rows": [
                {"label": name, "bars": [median(counts[name][camera]) / lengths["seconds"] for camera in FOUR]}
                for name in ("four", "four, one hung")
            ],
        }
    )
    return {
        "fair": _fairness(counts["four"]),
        "total": rounds.ratio("four", "one", "results_per_s"),
        "fair_hung": _fairness(counts["four, one hung"]),
        "total_hung": rounds.ratio("four, one hung", "one", "results_per_s"),
    }


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index: 1 where all have the same, 1/n where one has all (Jain, Chiu, Hawe, DEC-TR-301, 1984)."""
    squares = len(shares) * sum(share**2 for share in shares)
    return sum(shares) ** 2 / squares if squares else float("nan")


def _fairness(counts: dict[str, list[int]]) -> float:
    """The median over the rounds of the index of each."""
    return median([jain(shares) for shares in zip(*(counts[camera] for camera in FOUR), strict=True)])


def _heard(heard: dict[str, Any], cameras: Sequence[str]) -> Answer:
    results = {name: heard[f"{name}/raw_results"] for name in cameras}
    every = sorted((one for listed in results.values() for one in listed), key=lambda one: one["at"])
    return {
        "instants": [one["at"] for one in every],
        "ages": [one["age"] for one in every],
        "counts": {name: len(listed) for name, listed in results.items()},
        "cpu_s": heard["cpu_s"],
        "others_cores": heard["others_cores"],
    }


def _counts(rounds: Rounds, side: str) -> dict[str, list[int]]:
    """Results of each camera in each round judged."""
    answers = [rounds.answers[side][i]["counts"] for i in rounds.judged]
    return {name: [counts[name] for counts in answers] for name in answers[0]}
