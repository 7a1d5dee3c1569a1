"""The composed node against the limit: results, processor time, and how old results are under overload."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.figures import growth, in_ms, median
from benchmarks.goals import Goal
from benchmarks.realtime import limit
from benchmarks.realtime.bench import VGA, Bench, Turn
from benchmarks.realtime.limit import frame_bars
from benchmarks.realtime.rounds import Rounds, figures, run

_NAN = float("nan")
GOALS = {
    "results_latency": Goal("composed, settings for latency: results/s over the limit's", None, 0.97, "higher"),
    "results_throughput": Goal("composed, settings for throughput: results/s over the limit's", None, 0.97, "higher"),
    "cpu_latency": Goal("composed, latency: CPU time per result over the limit's", None, 1.10, "lower"),
    "cpu_throughput": Goal("composed, throughput: CPU time per result over the limit's", None, 1.10, "lower"),
    "age_p50": Goal("composed at 3 x overload: age p50, ms; bound 1.10 x (T/2 + S)", None, _NAN, "lower"),
    "age_p99": Goal("composed at 3 x overload: age p99, ms; bound 1.10 x (T + S99)", None, _NAN, "lower"),
    "growth": Goal("composed at 3 x overload, five minutes: median age, last third over first", None, 1.1, "lower"),
}
MODES = ("latency", "throughput")
ABOVE = 1.3
"""The camera runs at so many times the limit's rate where results are counted, so that the next frame always waits."""
OVERLOAD = 3.0
_TRIES, _SHORT = 4, 0.6  # turns, and seconds of each


def measure(bench: Bench) -> dict[str, float]:
    """Results in both modes, then ages in turns with the limit, then a long run."""
    rates = limit_rates(bench)
    values = _results(bench, rates)
    return {**values, **_overload(bench, OVERLOAD * rates["latency"])}


def limit_rates(bench: Bench, size: str = VGA) -> dict[str, float]:
    """The limit's results/s in both modes, to choose the camera's rates by.

    The best of several short turns and, at 640x480, of the sweep's: a camera that is a little too quick costs nothing,
    one that is too slow would be what is measured.
    """
    settings = limit.settings(bench)
    with bench.limit(size) as loop:
        return {
            mode: max(
                limit.fastest(bench, settings[mode]) if size == VGA else 0.0,
                *(
                    figures({"seconds": _SHORT, **loop(settings[mode])(0.2, _SHORT)})["results_per_s"]
                    for _ in range(_TRIES)
                ),
            )
            for mode in MODES
        }


def _results(bench: Bench, rates: dict[str, float]) -> dict[str, float]:
    settings, ours = limit.settings(bench), limit.node_settings(bench)
    with ExitStack() as stack:
        loop = stack.enter_context(bench.limit())
        turns: dict[str, Turn] = {f"limit {mode}": loop(settings[mode]) for mode in MODES}
        for mode in MODES:
            camera = ABOVE * rates[mode]
            turns[f"composed {mode}"] = stack.enter_context(bench.composed(camera, ours[mode]))
        rounds = run(bench, "composed", turns, **turn_lengths(bench))
    what = {f"limit {mode}": f"{limit.WHAT}, {settings[mode]}" for mode in MODES}
    what |= {f"composed {mode}": f"pipeline_node, {ours[mode]}, {_camera(ABOVE * rates[mode])}" for mode in MODES}
    bench.report.results["composed"] = rounds.report(what)
    values = against_limit(rounds, "composed")
    bench.draw(*charts(rounds, "composed", "Composed and the limit, 640x480", 0.97, 1.10))
    return values


def turn_lengths(bench: Bench) -> dict[str, Any]:
    """How many rounds there are and how long each side's turn is."""
    context = bench.context
    return {"count": int(context.pick(3, 12)), "warm": context.pick(0.5, 0.7), "seconds": context.pick(1.0, 1.5)}


def against_limit(rounds: Rounds, kind: str) -> dict[str, float]:
    """Results/s and processor time per result of "composed" or "separate" over the limit's, in both modes."""
    pairs = {"results": "results_per_s", "cpu": "cpu_ms_per_result"}
    return {
        f"{short}_{mode}": rounds.ratio(f"{kind} {mode}", f"limit {mode}", figure)
        for short, figure in pairs.items()
        for mode in MODES
    }


def charts(rounds: Rounds, kind: str, title: str, least: float, most: float) -> list[dict[str, Any]]:
    """Results/s and processor time of all sides; those of a kind are marked with their part of the limit's."""

    def rows(figure: str, part: float, better: str) -> list[dict[str, Any]]:
        found = {side: rounds.median(side, figure) for side in rounds.answers}
        return [
            {
                "label": side,
                "bars": [value],
                **({"goal": part * found[f"limit {side.split()[1]}"]} if side.startswith(kind) else {}),
                "better": better,
            }
            for side, value in found.items()
        ]

    return [
        {"title": f"{title}: results", "unit": "results/s", "rows": rows("results_per_s", least, "higher")},
        {
            "title": f"{title}: processor time",
            "unit": "ms per result",
            "rows": rows("cpu_ms_per_result", most, "lower"),
        },
    ]


def _overload(bench: Bench, camera: float) -> dict[str, float]:
    context, setting = bench.context, limit.settings(bench)["latency"]
    ours = limit.node_settings(bench)["latency"]
    period = 1.0 / camera
    with bench.limit() as loop, bench.composed(camera, ours) as composed:
        lengths = {"count": int(context.pick(3, 10)), "warm": 0.7, "seconds": context.pick(1.5, 2.5)}
        rounds = run(bench, "overload", {"limit": loop(setting), "composed": composed}, **lengths)
        long = context.pick(20.0, 300.0)
        context.say(f"overload: composed for {long:g} s without a break")
        steady = composed(1.0, long)
    bounds = age_bounds(period * 1e3, *frame_bars(rounds, "limit"))
    bench.bounds.update({f"composed.{key}": bound for key, bound in bounds.items()})
    values = {**dict(zip(bounds, frame_bars(rounds, "composed"), strict=True)), "growth": growth(steady["ages"])}
    what = {"limit": f"{limit.WHAT}, {setting}", "composed": f"pipeline_node, {ours}, {_camera(camera)}"}
    bench.report.results["overload"] = {
        **rounds.report(what),
        "T_ms": period * 1e3,
        "bounds_ms": bounds,
        "age_p50_over_T/2+S": values["age_p50"] / bounds["age_p50"] * 1.10,
        "age_p99_over_T+S99": values["age_p99"] / bounds["age_p99"] * 1.10,
        "long": {"seconds": long, "age_ms": in_ms(steady["ages"]), "age_ms_by_minute_p50": by_minute(steady)},
    }
    context.say(f"overload: growth {values['growth']:.2f} over {long:g} s; others {steady['others_cores']:.1f} cores")
    bench.draw(
        {
            "title": "Composed at three times the rate of the limit: age of results",
            "unit": "ms",
            "legend": ["p50", "p99"],
            "rows": [
                {"label": "limit: time per frame", "bars": frame_bars(rounds, "limit")},
                {
                    "label": "composed: age at the command",
                    "bars": frame_bars(rounds, "composed"),
                    "goals": [bounds["age_p50"], bounds["age_p99"]],
                    "better": "lower",
                },
            ],
        }
    )
    return values


def age_bounds(period: float, s: float, s99: float) -> dict[str, float]:
    """The goals' bounds: 1.10 x (T/2 + S) and 1.10 x (T + S99), in the unit of the arguments.

    A frame is on average half a source interval old when a worker comes free, a whole one at worst.

    Args:
        period: T, the source's interval.
        s: S, the limit's median time per frame.
        s99: S99, its 99th percentile.
    """
    return {"age_p50": 1.10 * (period / 2 + s), "age_p99": 1.10 * (period + s99)}


def by_minute(answer: dict[str, Any]) -> list[float]:
    """The median age in ms in every minute of a long run."""
    minutes: dict[int, list[float]] = {}
    for at, age in zip(answer["instants"], answer["ages"], strict=True):
        minutes.setdefault(int((at - answer["instants"][0]) // 60), []).append(age)
    return [round(median(ages) * 1e3, 2) for ages in minutes.values()]


def _camera(rate: float) -> str:
    return f"camera at {rate:.0f} Hz"
