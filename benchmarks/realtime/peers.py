"""Separate processes against what others do: single-callback nodes and the threaded pipeline of tutorials."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.goals import Goal
from benchmarks.realtime import limit
from benchmarks.realtime.bench import FULL_HD, VGA, Bench, Turn
from benchmarks.realtime.composed import limit_rates
from benchmarks.realtime.limit import frame_bars
from benchmarks.realtime.rounds import Rounds, run

GOALS = {
    "b_results_vga": Goal("640x480: results/s over the tuned single-callback node's (b)", None, 1.2, "higher"),
    "b_results_hd": Goal("1920x1080: results/s over the tuned single-callback node's (b)", None, 1.4, "higher"),
    "b_age_vga": Goal("640x480: age p99 over the tuned single-callback node's (b)", None, 0.95, "lower"),
    "b_age_hd": Goal("1920x1080: age p99 over the tuned single-callback node's (b)", None, 0.85, "lower"),
    "a_age_vga": Goal("640x480: age p99 over the default single-callback node's (a)", None, 0.2, "lower"),
    "a_age_hd": Goal("1920x1080: age p99 over the default single-callback node's (a)", None, 0.2, "lower"),
    "naive_age_vga": Goal("640x480: age p99 over the naive threaded pipeline's", None, 0.2, "lower"),
    "naive_age_hd": Goal("1920x1080: age p99 over the naive threaded pipeline's", None, 0.2, "lower"),
}
OURS = "ours"
SIDES = {
    OURS: "camera and inference node, settings for latency: what the goals judge",
    "ours, throughput": "the same with settings for throughput",
    "(b) tuned": "camera node and single-callback node, best effort, depth 1, config/fastdds.xml",
    "(a) defaults": "the same, reliable, depth 10, Fast DDS's default transport",
    "naive": "a thread a stage, queues of ten polled once a millisecond, no ROS",
}
ABOVE = {VGA: 2.0, FULL_HD: 1.5}
"""The camera runs at so many times the limit's rate for latency, so that it holds up nobody."""
SHORT = {VGA: "vga", FULL_HD: "hd"}


def measure(bench: Bench) -> dict[str, float]:
    """Both sizes."""
    values: dict[str, float] = {}
    for size in (VGA, FULL_HD):
        values |= {f"{key}_{SHORT[size]}": value for key, value in _compare(bench, size).items()}
    return values


def _compare(bench: Bench, size: str) -> dict[str, float]:
    context, ours = bench.context, limit.node_settings(bench)
    rate = ABOVE[size] * limit_rates(bench, size)["latency"]
    with ExitStack() as stack:
        ready = {
            OURS: bench.detector(rate, ours["latency"], size),
            "ours, throughput": bench.detector(rate, ours["throughput"], size),
            "(b) tuned": bench.wrapper(rate, size, tuned=True),
            "(a) defaults": bench.wrapper(rate, size, tuned=False),
            "naive": bench.naive(rate, size),
        }
        turns: dict[str, Turn] = {side: stack.enter_context(one) for side, one in ready.items()}
        lengths: dict[str, Any] = {"count": int(context.pick(2, 6)), "warm": 0.8, "seconds": context.pick(1.0, 2.4)}
        rounds = run(bench, f"peers {size}", turns, **lengths)
    bench.report.results[f"peers_{SHORT[size]}"] = {"camera_hz": rate, "size": size, **rounds.report(SIDES)}
    bounds = {key.removesuffix(f"_{SHORT[size]}"): goal.bound for key, goal in GOALS.items() if SHORT[size] in key}
    parts = {"(b) tuned": bounds["b_age"], "(a) defaults": bounds["a_age"], "naive": bounds["naive_age"]}
    bench.draw(*_charts(rounds, f"{size}, camera at {rate:.0f} Hz", bounds["b_results"], parts))
    return ratios(rounds)


def ratios(rounds: Rounds) -> dict[str, float]:
    """Ours over the peers' within each round: results/s and the 99th percentile of the ages."""
    return {
        "b_results": rounds.ratio(OURS, "(b) tuned", "results_per_s"),
        "b_age": rounds.ratio(OURS, "(b) tuned", "p99_ms"),
        "a_age": rounds.ratio(OURS, "(a) defaults", "p99_ms"),
        "naive_age": rounds.ratio(OURS, "naive", "p99_ms"),
    }


def _charts(rounds: Rounds, title: str, least: float, parts: dict[str, float]) -> list[dict[str, Any]]:
    """Results/s and ages; marked is what ours must reach, of the goals for the age the strictest.

    Args:
        rounds: of all sides.
        title: size and camera.
        least: ours over the tuned node's results/s.
        parts: of each peer's p99 age that ours may have at most.
    """
    results = {side: rounds.median(side, "results_per_s") for side in rounds.answers}
    goals = {OURS: {"goal": least * results["(b) tuned"], "better": "higher"}}
    latest = min(part * rounds.median(side, "p99_ms") for side, part in parts.items())
    ages = {OURS: {"goals": [None, latest], "better": "lower"}}
    return [
        {
            "title": f"Peers, {title}: results",
            "unit": "results/s",
            "rows": [{"label": side, "bars": [value], **goals.get(side, {})} for side, value in results.items()],
        },
        {
            "title": f"Peers, {title}: age of results",
            "unit": "ms",
            "legend": ["p50", "p99"],
            "rows": [{"label": side, "bars": frame_bars(rounds, side), **ages.get(side, {})} for side in results],
        },
    ]
