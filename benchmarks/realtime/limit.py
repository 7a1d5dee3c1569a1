"""The limit of the machine: a bare loop without ROS, best of a sweep over workers, threads and spinning."""

from __future__ import annotations

import os
from typing import get_args

from benchmarks.goals import Goal
from benchmarks.realtime.bench import Bench, Setting
from benchmarks.realtime.rounds import Rounds, run
from edge_ai.backends.options import Spinning
from edge_ai.runtime import tuning

GOALS: dict[str, Goal] = {}
"""None: this part finds the settings that the others run with and are held against."""
WHAT = "preprocess, session.run and decode in a bare loop, no ROS"
_MOST = 4  # cores in the sweep: more settings than this machine could tell apart in the time


def measure(bench: Bench) -> dict[str, float]:
    """Sweep; see `settings`."""
    settings(bench)
    return {}


def settings(bench: Bench) -> dict[str, Setting]:
    """The best setting for "latency" and the best for "throughput", found once a run."""
    if not bench.settings:
        bench.settings.update(_sweep(bench))
    return bench.settings


def node_settings(bench: Bench) -> dict[str, Setting]:
    """What the nodes run with: what `edge-ai tune` would choose by the sweep, never long spinning."""
    settings(bench)
    sides = bench.report.results["limit"]["sides"]
    known = [
        tuning.Measured(
            tuning.Setting(setting.workers, setting.threads, setting.spinning),
            [side["results_per_s"]],
            [side["p50_ms"] / 1e3],
            [side["cpu_ms_per_result"] / 1e3],
        )
        for setting in candidates(_cores())
        if setting.spinning != "long" and (side := sides[str(setting)])
    ]
    aims: tuple[tuning.Aim, ...] = ("latency", "throughput")
    return {aim: Setting(**vars(tuning.best(known, aim).setting)) for aim in aims}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fastest(bench: Bench, setting: Setting) -> float:
    """The results/s of a setting in the sweep's best round."""
    rates: list[float] = bench.report.results["limit"]["sides"][str(setting)]["results_per_s_by_round"]
    return max(rates)


def candidates(cores: int) -> list[Setting]:
    """Settings worth trying: no more threads in all than twice the cores, and one worker more than cores at most.

    A single thread has none that could spin while it waits for another.
    """
    cores = min(cores, _MOST)
    return [
        Setting(workers, threads, spinning)
        for workers in range(1, cores + 2)
        for threads in range(1, cores + 1)
        for spinning in (get_args(Spinning) if threads > 1 else ("none",))
        if workers * threads <= 2 * cores
    ]


def best(rounds: Rounds) -> dict[str, str]:
    """The side with the least median time a frame ("latency") and the one with the most results/s ("throughput")."""
    return {
        "latency": min(rounds.answers, key=lambda side: rounds.median(side, "p50_ms")),
        "throughput": max(rounds.answers, key=lambda side: rounds.median(side, "results_per_s")),
    }


def _sweep(bench: Bench) -> dict[str, Setting]:
    context = bench.context
    tried = {str(setting): setting for setting in candidates(_cores())}
    with bench.limit() as loop:
        rounds = run(
            bench,
            "limit",
            {name: loop(setting) for name, setting in tried.items()},
            count=int(context.pick(2, 5)),
            warm=context.pick(0.2, 0.3),
            seconds=context.pick(0.5, 1.2),
        )
    chosen = best(rounds)
    what = dict.fromkeys(tried, WHAT)
    bench.report.results["limit"] = {**rounds.report(what), "best": chosen}
    for mode, name in chosen.items():
        one = rounds.summary(name)
        context.say(f"limit: best for {mode}: {name}: {one['results_per_s']:.1f}/s, {one['p50_ms']:.1f} ms")
    labels = {name: f"{name} ({', '.join(m for m, n in chosen.items() if n == name)})" for name in chosen.values()}
    bench.draw(
        {
            "title": "The limit at every setting: workers x threads of one inference",
            "unit": "results/s",
            "rows": [
                {"label": labels.get(name, name), "bars": [rounds.median(name, "results_per_s")]} for name in tried
            ],
        },
        {
            "title": "The limit at every setting: time per frame",
            "unit": "ms",
            "legend": ["p50", "p99"],
            "rows": [{"label": labels.get(name, name), "bars": frame_bars(rounds, name)} for name in tried],
        },
    )
    return {mode: tried[name] for mode, name in chosen.items()}


def frame_bars(rounds: Rounds, side: str) -> list[float]:
    """Median and 99th percentile in ms of a side's ages, or times per frame where it has none; of the middle round."""
    return [rounds.median(side, "p50_ms"), rounds.median(side, "p99_ms")]
