"""Separate processes at 1280x720, 30 Hz: does every image arrive, and how much later than without DDS?"""

from __future__ import annotations

from typing import Any

from benchmarks.figures import in_ms, median
from benchmarks.goals import Goal
from benchmarks.pipeline.bench import COMPOSED, SEPARATE, Bench
from benchmarks.topic import MeasurementError

GOALS = {
    "lost": Goal("1280x720 at 30 Hz, separate: images lost on the way to the inference node", None, 0, "lower"),
    "lost_alone": Goal("1280x720 at 30 Hz, separate: images lost on the way to a bare receiver", None, 0, "lower"),
    "later": Goal("1280x720 at 30 Hz: capture to receive p50, separate above composed, ms", None, 6, "lower"),
}
SOURCE = "synthetic://1280x720@30"
SIDES = {
    "composed": "pipeline_node; receive: capture to the moment the model's thread takes the frame",
    "separate": "camera, inference and control node with config/fastdds.xml; receive as above",
    "receiver": "camera node and a process with the inference node's QoS that reads the number in each picture; "
    "receive: capture to its callback",
    "receiver_fast_dds_defaults": "the same without config/fastdds.xml",
}


def measure(bench: Bench) -> dict[str, float]:
    """All sides in turn, round after round."""
    context = bench.context
    seconds, rounds = context.pick(5.0, 15.0), int(context.pick(1, 3))
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in SIDES}
    for number in range(rounds):
        if number and not context.before(0.85):
            break
        for name, done in runs.items():
            done.append(_run(bench, name, seconds))
            context.say(f"transport {number + 1}/{rounds}: {name} {_words(done[-1])}")
    waits = {name: [run["receive_ms"].get("p50", float("nan")) for run in done] for name, done in runs.items()}
    extra = [a - b for a, b in zip(waits["separate"], waits["composed"], strict=True)]
    bench.report.results["transport"] = {
        "what": SIDES,
        "source": SOURCE,
        "seconds_each": seconds,
        "receive_p50_ms": {name: median(values) for name, values in waits.items()},
        "separate_above_composed_ms_by_round": extra,
        "runs": runs,
    }
    lost, lost_alone = (sum(run["lost"] for run in runs[name]) for name in ("separate", "receiver"))
    return {"lost": lost, "lost_alone": lost_alone, "later": median(extra)}


def _run(bench: Bench, name: str, seconds: float) -> dict[str, Any]:
    camera = {"source": SOURCE}
    if name == "composed":
        with bench.nodes(COMPOSED, ["results"], camera) as probe:
            return _waits(probe.measure(warm=2.0, seconds=seconds))
    if name == "separate":
        with bench.nodes(SEPARATE, ["results", "captured"], camera) as probe:
            heard = probe.measure(seconds=seconds, whole=True)
        return {**_waits(heard), **accounted(heard)}
    with bench.nodes(("camera",), ["images", "captured"], camera, profile=name == "receiver") as probe:
        return _received(probe.measure(seconds=seconds, whole=True))


def _waits(heard: dict[str, Any]) -> dict[str, Any]:
    waits = [one["timings"]["wait"] for one in heard["results"]]
    return {"receive_ms": in_ms(waits), "others_cores": heard["others_cores"]}


def accounted(heard: dict[str, Any]) -> dict[str, Any]:
    """What the inference node says it has seen, against what the camera node says it has sent."""
    counts = heard["counters"].get("inference", {})
    if "processed" not in counts:
        raise MeasurementError("the inference node gave no counts on /diagnostics")
    sent = len({one["index"] for one in heard["captured"]})
    # What inference did not take may have been replaced or lost: counted as lost, since nothing tells them apart.
    reached = sum(counts[name] for name in ("processed", "dropped", "failed", "unreadable images"))
    reached -= counts.get("dropped, not taken", 0)
    return {"sent": sent, "reached": reached, "lost": sent - reached, **counts}


def _received(heard: dict[str, Any]) -> dict[str, Any]:
    sent = {one["index"] for one in heard["captured"]}
    arrived = {one["index"] for one in heard["images"]}
    return {
        "receive_ms": in_ms([one["age"] for one in heard["images"]]),
        "sent": len(sent),
        "reached": len(sent & arrived),
        "lost": len(sent - arrived),
        "others_cores": heard["others_cores"],
        "damaged": sum(one["index"] is None for one in heard["images"]),
    }


def _words(run: dict[str, Any]) -> str:
    lost = f", lost {run['lost']} of {run['sent']}" if "sent" in run else ""
    return f"p50 {run['receive_ms'].get('p50', float('nan')):.1f} ms{lost}"
