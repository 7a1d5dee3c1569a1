"""A camera at three times the rate that the model can bear: how old are the commands, and do they grow older?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.figures import growth, in_ms, median, percentile, rate
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import COMPOSED, SEPARATE, Bench

GOALS = {
    "age": Goal("camera at 3 times the rate: age p99 over the bare loop's time per frame", None, 2.5, "lower"),
    "growth": Goal("camera at 3 times the rate: median age, last third over first", None, 1.1, "lower"),
}
TIMES = 3.0
SIDES = {
    "composed": "pipeline_node; age: capture to the first command that heeds the result",
    "separate": "camera, inference and control node; age as above",
    "robot": "edge_ai.robot.Robot, no ROS; age as above",
    "queue_of_ten_at_30_hz": "a thread a stage, queues of ten, nothing dropped; age: capture to the use of the result",
    "queue_of_ten": "the same with the camera of the other sides",
}


def measure(bench: Bench) -> dict[str, float]:
    """Each side for as long as the goal says, the bare loop before and after it."""
    context = bench.context
    seconds, short = context.pick(10.0, 30.0), context.pick(2.0, 5.0)
    sides: dict[str, Any] = {}
    with bench.bare() as bare:

        def bare_periods() -> list[float]:
            durations: list[float] = bare.measure(warm=0.5, seconds=short)["durations"]
            return durations

        periods = bare_periods()
        fps = TIMES / median(periods)
        bench.report.results["overload"] = {"what": SIDES, "camera_hz": fps, "sides": sides}
        context.say(f"overload: bare loop {median(periods) * 1e3:.1f} ms a frame, so the camera runs at {fps:.0f} Hz")
        for name in SIDES:
            heard = _run(bench, name, fps, seconds)
            after = bare_periods()
            sides[name] = _side(heard, periods + after)
            periods = after
            context.say(f"overload: {name} {_words(sides[name])}")
    return {"age": sides["composed"]["age_p99_over_bare"], "growth": sides["composed"]["age_growth"]}


def _run(bench: Bench, name: str, fps: float, seconds: float) -> dict[str, Any]:
    """Run one side; returns the ``ages`` and the ``instants`` and, where known, stage ``timings`` of the results."""
    if name.startswith("queue"):
        with bench.peer(30.0 if name.endswith("30_hz") else fps) as peer:
            return {**peer.measure(seconds=bench.context.pick(5.0, 30.0)), "timings": []}
    if name == "robot":
        with bench.robot(fps, realtime=True) as robot:
            return robot.measure(warm=2.0, seconds=seconds)
    nodes = COMPOSED if name == "composed" else SEPARATE
    with bench.nodes(nodes, ["commands", "results"], {"source": bench.replay(fps)}) as probe:
        heard = probe.measure(warm=2.0, seconds=seconds)
    return {
        "ages": [one["age"] for one in heard["commands"]],
        "instants": [one["at"] for one in heard["results"]],
        "timings": [one["timings"] for one in heard["results"]],
        "others_cores": heard["others_cores"],
    }


def _side(heard: dict[str, Any], bare: Sequence[float]) -> dict[str, Any]:
    ages, timings = heard["ages"], heard["timings"]
    return {
        "bare_ms": in_ms(bare),
        "age_ms": in_ms(ages),
        "age_p99_over_bare": percentile(ages, 99) / median(bare),
        "age_growth": growth(ages),
        "seconds": heard["instants"][-1] - heard["instants"][0] if heard["instants"] else 0.0,
        "results_per_s": rate(heard["instants"]),
        "others_cores": heard["others_cores"],
        "stages_ms": {stage: in_ms([one[stage] for one in timings]) for stage in (timings[0] if timings else ())},
    }


def _words(side: dict[str, Any]) -> str:
    age, bare = side["age_ms"], side["bare_ms"]
    return (
        f"{side['results_per_s']:.1f} results/s, age p50 {age.get('p50', 0):.0f} ms, p99 {age.get('p99', 0):.0f} ms, "
        f"growth {side['age_growth']:.2f}; bare loop beside it p50 {bare['p50']:.0f} ms, p99 {bare['p99']:.0f} ms; "
        f"others busy on {side['others_cores']:.1f} cores"
    )
