"""Camera, inference and control as processes of their own, against the limit and against the composed node."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.figures import in_ms, median, rate
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import SEPARATE
from benchmarks.pipeline.transport import accounted
from benchmarks.realtime import limit
from benchmarks.realtime.bench import FULL_HD, Bench, Turn
from benchmarks.realtime.composed import ABOVE, MODES, against_limit, charts, limit_rates, turn_lengths
from benchmarks.realtime.limit import frame_bars
from benchmarks.realtime.rounds import figures, run

GOALS = {
    "results_latency": Goal("separate, 640x480, latency: results/s over the limit's", None, 0.93, "higher"),
    "results_throughput": Goal("separate, 640x480, throughput: results/s over the limit's", None, 0.93, "higher"),
    "later": Goal("separate, 640x480, latency: age p50 above composed, ms", None, 4.0, "lower"),
    "cpu_latency": Goal("separate, 640x480, latency: CPU time per result over the limit's", None, 1.35, "lower"),
    "cpu_throughput": Goal("separate, 640x480, throughput: CPU time per result over the limit's", None, 1.35, "lower"),
    "results_1080": Goal(
        "separate, 1920x1080 at 30 Hz: results/s over the lesser of 30 and the limit's", None, 0.90, "higher"
    ),
    "lost_1080": Goal("separate, 1920x1080 at 30 Hz, or what the model bears: images lost", None, 0, "lower"),
}
HZ = 30.0
_ROOM = 1.4  # times the camera's rate that the limit must reach for no image to be replaced


def measure(bench: Bench) -> dict[str, float]:
    """Both sizes."""
    return {**_vga(bench), **_full_hd(bench)}


def _vga(bench: Bench) -> dict[str, float]:
    settings, rates, ours = limit.settings(bench), limit_rates(bench), limit.node_settings(bench)
    cameras = {mode: ABOVE * rates[mode] for mode in MODES}
    with ExitStack() as stack:
        loop = stack.enter_context(bench.limit())
        turns: dict[str, Turn] = {f"limit {mode}": loop(settings[mode]) for mode in MODES}
        turns["composed latency"] = stack.enter_context(bench.composed(cameras["latency"], ours["latency"]))
        for mode in MODES:
            turns[f"separate {mode}"] = stack.enter_context(bench.separate(cameras[mode], ours[mode]))
        rounds = run(bench, "separate", turns, **turn_lengths(bench))
    what = {f"limit {mode}": f"{limit.WHAT}, {settings[mode]}" for mode in MODES}
    what["composed latency"] = f"pipeline_node, {ours['latency']}, camera at {cameras['latency']:.0f} Hz"
    what |= {
        f"separate {mode}": f"camera, inference and control node, {ours[mode]}, camera at {cameras[mode]:.0f} Hz"
        for mode in MODES
    }
    bench.report.results["separate"] = rounds.report(what)
    ages = {side: rounds.per_round(side, "p50_ms") for side in ("separate latency", "composed latency")}
    later = [a - b for a, b in zip(ages["separate latency"], ages["composed latency"], strict=True)]
    composed = frame_bars(rounds, "composed latency")
    bench.draw(
        *charts(rounds, "separate", "Separate processes, 640x480", 0.93, 1.35),
        {
            "title": "Separate processes, 640x480, settings for latency: age of results",
            "unit": "ms",
            "legend": ["p50", "p99"],
            "rows": [
                {"label": "composed latency", "bars": composed},
                {
                    "label": "separate latency",
                    "bars": frame_bars(rounds, "separate latency"),
                    "goals": [composed[0] + GOALS["later"].bound, None],
                    "better": "lower",
                },
            ],
        },
    )
    return {**against_limit(rounds, "separate"), "later": median(later)}


def _full_hd(bench: Bench) -> dict[str, float]:
    runs = _full_hd_runs(bench, HZ)
    bench.report.results["separate_1080"] = {"camera_hz": HZ, "runs": runs}
    reached, possible, bare = (median([r[key] for r in runs]) for key in ("results_per_s", "possible", "limit_per_s"))
    share = median([one["results_per_s"] / one["possible"] for one in runs])
    bench.draw(
        {
            "title": "Separate processes, 1920x1080 at 30 Hz: results",
            "unit": "results/s",
            "rows": [
                {"label": "limit", "bars": [bare]},
                {"label": "separate", "bars": [reached], "goal": 0.9 * possible, "better": "higher"},
            ],
        }
    )
    if bare < _ROOM * HZ:  # a model slower than the camera replaces images by design: nothing can be told lost
        runs = _full_hd_runs(bench, bare / _ROOM)
        bench.report.results["separate_1080_slower"] = {"camera_hz": bare / _ROOM, "runs": runs}
    return {"results_1080": share, "lost_1080": sum(one["lost"] for one in runs)}


def _full_hd_runs(bench: Bench, camera_hz: float) -> list[dict[str, Any]]:
    context, setting = bench.context, limit.settings(bench)["latency"]
    ours = limit.node_settings(bench)["latency"]
    seconds, runs = context.pick(6.0, 15.0), []
    nodes = bench.real_nodes(SEPARATE, camera_hz, FULL_HD, ours, topics=("raw_results", "captured"))
    with bench.limit(FULL_HD) as loop, nodes as (probe, _):
        for number in range(int(context.pick(1, 3))):
            bare = figures({"seconds": 1.5, **loop(setting)(0.5, 1.5)})["results_per_s"]
            heard = probe.measure(seconds=seconds, whole=True)
            runs.append(_one_run(bare, camera_hz, heard))
            one = runs[-1]
            context.say(
                f"separate {FULL_HD} at {camera_hz:.0f} Hz {number + 1}: {one['results_per_s']:.1f}/s of "
                f"{one['possible']:.1f}, age p50 {one['age_ms'].get('p50', float('nan')):.0f} ms, "
                f"lost {one['lost']} of {one['sent']}; others busy on {one['others_cores']:.1f} cores"
            )
    return runs


def _one_run(bare: float, camera_hz: float, heard: dict[str, Any]) -> dict[str, Any]:
    results = heard["raw_results"]
    return {
        "limit_per_s": bare,
        "possible": min(camera_hz, bare),
        "results_per_s": rate([one["at"] for one in results]),
        "age_ms": in_ms([one["age"] for one in results]),
        "others_cores": heard["others_cores"],
        **accounted(heard),
    }
