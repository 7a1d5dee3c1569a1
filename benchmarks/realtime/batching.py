"""What the batcher adds to a request, beside MLServer's, and how good adaptive batching is."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.figures import calm, median, percentile
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import Bench
from benchmarks.processes import Side
from benchmarks.realtime import batch_sweep
from benchmarks.realtime.rounds import CALM, LEAST
from benchmarks.sides.engines import WIDTH, batched_model, layers_model
from benchmarks.sides.mlserver_batcher import prepare
from benchmarks.topic import ROOT, MeasurementError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card

_WHAT = "batcher at 1,000 requests/s"
GOALS = {
    "overhead": Goal(f"{_WHAT}: time it adds to a request, p50, µs", None, 100, "lower"),
    "overhead_cpu": Goal(f"{_WHAT}: processor time it adds to a request, µs", None, 100, "lower"),
    "peer": Goal(f"{_WHAT}: time it adds over what MLServer's adds", None, 1, "lower"),
    "peer_cpu": Goal(f"{_WHAT}: processor time it adds over what MLServer's adds", None, 1, "lower"),
    "light": Goal("adaptive batching over the best fixed, light load: mean time", None, 1.05, "lower"),
    "medium": Goal("adaptive batching over the best fixed, medium load: mean time", None, 1.05, "lower"),
    "heavy": Goal("adaptive batching over the best fixed, heavy load: sent for each in time", None, 1.05, "lower"),
}
RATE = 1000.0
SMALL, LAYERS, MOST = 64, 8, 32
OURS: dict[str, tuple[Any, str]] = {
    "ours_directly": ("directly", "session.run of a small model, called by whoever sends the items"),
    "ours_single": (["fixed", 1, 0.0], "through edge_ai's Batcher, FixedPolicy(1)"),
    "ours_adaptive": (["adaptive", 8], "the same with AdaptivePolicy(8)"),
}
PEERS: dict[str, tuple[Any, str]] = {
    "peer_directly": ("directly", "the same model in an asyncio loop"),
    "peer": ([8, 0.0], "through MLServer 1.7.1's AdaptiveBatcher: 8 items, no wait; its own request types, one loop"),
}


def measure(bench: Bench) -> dict[str, float]:
    """The overhead, the three loads, and what batching does for the shipped model."""
    folder = bench.context.folder
    small, wide, detector = folder / f"layers_{SMALL}.onnx", folder / f"layers_{WIDTH}.onnx", folder / "nanodet_n.onnx"
    try:
        layers_model(small, SMALL, 1)
        layers_model(wide, WIDTH, LAYERS)
        batched_model(Path(ModelCard.load(shipped_card()).model_path), detector)
    except ImportError:
        raise MeasurementError("the models for it need onnx: pip install -e '.[test]'") from None
    values = _overhead(bench, small)
    found = bench.report.results["batching"] = {"overhead": bench.report.results.pop("batcher"), "loads": {}}
    with Side("benchmarks.sides.batching", {"model": str(wide)}, bench.log) as side:
        curve = _curve(bench, side, [1, 2, 4, 8, 16, MOST])
        found["curve_ms"] = {size: seconds * 1e3 for size, seconds in curve.items()}
        waits = (0.0, 1.0) if bench.context.quick else (0.0, 0.5, 2.0)
        for load in batch_sweep.loads(curve):
            policies = batch_sweep.fixed(curve, waits, load)
            found["loads"][load.name] = one = batch_sweep.compare(bench.context, side, load, policies, MOST)
            values[load.name] = one["over_best"]
            _say(bench, one)
    found["nanodet"] = _detector(bench, detector)
    bench.report.results["batcher_sides"] = {"sides": {k: {"what": w} for k, (_, w) in {**OURS, **PEERS}.items()}}
    _draw(bench, found)
    return values


def _overhead(bench: Bench, model: Path) -> dict[str, float]:
    """All sides in turns; what each adds to its own engine."""
    context, setup = bench.context, {"model": str(model)}
    turn = {"rate": RATE, "warm": context.pick(0.3, 0.5), "seconds": context.pick(1.0, 2.0)}
    answers: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        turns: dict[str, tuple[Side, dict[str, Any]]] = {}
        side = stack.enter_context(Side("benchmarks.sides.batching", setup, bench.log))
        turns.update({name: (side, {"kind": "overhead", "policy": policy}) for name, (policy, _) in OURS.items()})
        if python := _peer(bench):
            env = {**os.environ, "EDGE_AI_PEER_PYTHON": python}
            side = stack.enter_context(Side("benchmarks.sides.mlserver_batcher", setup, bench.log, env))
            turns.update({name: (side, {"policy": policy}) for name, (policy, _) in PEERS.items()})
        for number in range(int(context.pick(3, 7))):
            for name in turns if number % 2 else reversed(turns):
                answers.setdefault(name, []).append(turns[name][0].measure(**turns[name][1], **turn))
    values, figures = added(answers)
    bench.report.results["batcher"] = figures
    context.say(f"batcher, µs added: {', '.join(f'{k} {v:.3g}' for k, v in values.items())}")
    return values


def added(answers: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, float], dict[str, Any]]:
    """What the goals want to know of the answers, and all figures; in microseconds, medians of the calm rounds."""
    rounds = list(zip(*answers.values(), strict=True))
    chosen = calm([max(one["others_cores"] for one in taken) for taken in rounds], CALM, LEAST)
    times = {name: [median(given[i]["times"]) * 1e6 for i in chosen] for name, given in answers.items()}
    cpu = {name: [given[i]["cpu_s"] * 1e6 for i in chosen] for name, given in answers.items()}

    def above(values: dict[str, list[float]], name: str, base: str) -> float:
        return median([one - other for one, other in zip(values[name], values[base], strict=True)])

    found = {
        "overhead": above(times, "ours_adaptive", "ours_directly"),
        "overhead_cpu": above(cpu, "ours_adaptive", "ours_directly"),
    }
    if "peer" in answers:
        found["peer"] = found["overhead"] / above(times, "peer", "peer_directly")
        found["peer_cpu"] = found["overhead_cpu"] / above(cpu, "peer", "peer_directly")
    figures = {
        name: {
            "p50_us": median(times[name]),
            "p99_us": median([percentile(given[i]["times"], 99) * 1e6 for i in chosen]),
            "cpu_us": median(cpu[name]),
            "others_cores_by_round": [answer["others_cores"] for answer in given],
        }
        for name, given in answers.items()
    }
    return found, figures


def _peer(bench: Bench) -> str:
    """The interpreter that has MLServer; empty where it cannot be had, which is said."""
    try:
        return prepare(ROOT / "out" / "peers" / "mlserver")
    except (OSError, subprocess.SubprocessError) as error:
        bench.report.failures.append(f"batching: NOT RUN: MLServer's batcher, it cannot be installed: {error}")
        return ""


def _curve(bench: Bench, side: Side, sizes: list[int]) -> dict[int, float]:
    curve = side.measure(kind="curve", sizes=sizes, seconds=bench.context.pick(2.0, 5.0))["curve"]
    shown = ", ".join(f"{size}: {seconds * 1e3:.1f} ms" for size, seconds in curve.items())
    bench.context.say(f"batching: a batch of {shown}")
    return {int(size): seconds for size, seconds in curve.items()}


def _detector(bench: Bench, model: Path) -> dict[str, Any]:
    """The shipped model with a batch dimension: what its batches take, and what the policies make of them."""
    with Side("benchmarks.sides.batching", {"model": str(model)}, bench.log) as side:
        curve = _curve(bench, side, [1, 2, 4])
        load = batch_sweep.Load("medium", 0.6 / curve[1])
        policies = [["fixed", 1, 0.0], ["fixed", 4, 0.0], ["fixed", 4, 0.02]]
        one = batch_sweep.compare(bench.context, side, load, policies, 4)
    _say(bench, one)
    return {"curve_ms": {size: seconds * 1e3 for size, seconds in curve.items()}, **one}


def _say(bench: Bench, one: dict[str, Any]) -> None:
    bench.context.say(
        f"batching, {one['load']} load of {one['rate']:.0f}/s: adaptive {one['over_best']:.3f} of {one['best']}; "
        + ", ".join(
            f"{name} {side['mean_ms']:.1f} ms, {side['in_time']:.1%} in time" for name, side in one["sides"].items()
        )
    )


def _draw(bench: Bench, found: dict[str, Any]) -> None:
    rows = [{"label": name, "bars": [one["p50_us"], one["cpu_us"]]} for name, one in found["overhead"].items()]
    ratios = [{"label": f"{name} load", "bars": [one["over_best"]]} for name, one in found["loads"].items()]
    draw = getattr(bench, "draw", None)
    if draw is not None:
        legend = ["time of a request, p50", "processor time of a request"]
        draw(
            {"title": "A request at 1,000 a second", "unit": "µs", "legend": legend, "rows": rows},
            {
                "title": "Adaptive batching over the best fixed size and wait",
                "unit": "ratio of what is to be small",
                "rows": ratios,
                "goal": GOALS["light"].bound,
                "better": "lower",
            },
        )
