"""Part `variants`: how much quicker lighter variants of the detector are, and what switching to one costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

from benchmarks.figures import median, percentile
from benchmarks.goals import Goal
from benchmarks.loaded import Loaded, Seen, frame_of, usual_intervals
from benchmarks.topic import Context, Report
from benchmarks.video import find_video
from benchmarks.watch.lighter import pictures_of, variants_in
from edge_ai.optimization.judging.measure import measure as time_in_turns
from edge_ai.optimization.judging.measure import open_model
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.variants import Variants

GOALS = {
    "gap": Goal(
        "switch to a loaded variant: longest gap between results, times the usual interval, median", None, 1.2, "lower"
    ),
    "lost": Goal("switches under load: frames lost or answered twice", None, 0.0, "lower"),
}


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Speeds in turns, then switches under load; the values of the goals."""
    pictures = pictures_of(find_video(context.say))
    cards = variants_in(context.folder / "variants", pictures)
    speeds = _speeds(context, cards, pictures[0])
    loaded = _switches(context, cards, pictures)
    first = [_first_time(cards, name, pictures) for _ in range(int(context.pick(3, 9))) for name in ("int8", "320")]
    report.results["variants"] = {"speeds": speeds, "switches": loaded, "first_time": first}
    context.say(
        f"switch to a loaded variant: {loaded['call_us']:.0f} us, its first result after {loaded['first_ms']:.1f} ms, "
        f"gap {loaded['gap']:.2f} times the usual interval (p95 {loaded['gap_p95']:.2f}, without a switch "
        f"{loaded['p95_without_a_switch']:.2f}), {loaded['lost']} frames lost"
    )
    context.say(
        f"loaded on demand: it answers after {median([one['ready_ms'] for one in first]):.0f} ms, longest gap "
        f"meanwhile {median([one['gap'] for one in first]):.2f} times the usual interval"
    )
    return {"gap": loaded["gap"], "lost": loaded["lost"]}


def _speeds(context: Context, cards: Mapping[str, Path], picture: Any) -> dict[str, Any]:
    """Inferences in turns; each variant beside the original of the same round."""
    models = {name: open_model(ModelCard.load(path)) for name, path in cards.items()}
    found = time_in_turns(models, frame_of(0, picture), rounds=int(context.pick(6, 24)))
    for model in models.values():
        model.close()
    speeds: dict[str, Any] = {}
    for name, one in found.items():
        gain, latency = one.speedup(found["original"]), one.latency_ms
        speeds[name] = {"median_ms": latency.value, "times": gain.value, "times_95": [gain.low, gain.high]}
        context.say(
            f"{name}: {latency.value:.1f} ms, {gain.value:.2f} times as fast ({gain.low:.2f} to {gain.high:.2f})"
        )
    return speeds


@contextmanager
def _loaded(params: InferenceParams, pictures: list[Any]) -> Iterator[tuple[Variants, Loaded]]:
    variants = Variants(params)
    variants.open()
    with Loaded(variants.model, cycle(pictures)).running() as load:
        yield variants, load
    variants.close()


def _switches(context: Context, cards: Mapping[str, Path], pictures: list[Any]) -> dict[str, Any]:
    """To and fro between the model itself and its INT8 variant, both loaded."""
    params = InferenceParams(variants=[str(cards["int8"])], variant_loading="start")
    times, calls = [], []
    with _loaded(params, pictures) as (variants, load):
        for number in range(int(context.pick(20, 100))):
            time.sleep(0.25)
            changed = params.changed(variant=("1", "")[number % 2])
            times.append(time.monotonic_ns())
            variants.update(changed)
            calls.append(time.monotonic_ns() - times[-1])
            while load.seen[-1].version != variants.serving.card.version:
                time.sleep(0.01)
        time.sleep(0.5)
    usual = usual_intervals(load.seen)
    gaps, first = [], []
    for at in times:
        later = next(i for i, one in enumerate(load.seen) if one.at > at and one.version != _before(load.seen, at))
        gaps.append((load.seen[later].at - load.seen[later - 1].at) / usual[load.seen[later].version])
        first.append((load.seen[later].at - at) / 1e6)
    return {
        "switches": len(times),
        "call_us": median(calls) / 1e3,
        "first_ms": median(first),
        "gap": median(gaps),
        "gap_to_lighter": median(gaps[::2]),
        "gap_back": median(gaps[1::2]),
        "gap_p95": percentile(gaps, 95),
        "p95_without_a_switch": percentile(_intervals(load.seen, usual), 95),
        "usual_interval_ms": {version: value / 1e6 for version, value in usual.items()},
        "frames": load.submitted,
        "lost": load.lost,
    }


def _before(seen: list[Seen], at: int) -> str:
    return [one.version for one in seen if one.at <= at][-1]


def _intervals(seen: list[Seen], usual: Mapping[str, float]) -> list[float]:
    """All intervals away from switches, each over the usual one of its model."""
    return [(b.at - a.at) / usual[b.version] for a, b in pairwise(seen) if a.version == b.version]


def _first_time(cards: Mapping[str, Path], name: str, pictures: list[Any]) -> dict[str, float]:
    """A variant that has to be loaded first: how long until it answers, and the longest gap until then."""
    params = InferenceParams(variants=[str(cards[name])])
    with _loaded(params, pictures) as (variants, load):
        at = time.monotonic_ns()
        variants.update(params.changed(variant="1"))
        variants.wait(30.0)
        ready = time.monotonic_ns()
        time.sleep(0.3)
    usual = usual_intervals(load.seen)["1.0"]
    around = [one.at for one in load.seen if at - usual <= one.at <= ready + usual]
    longest = max((b - a for a, b in pairwise(around)), default=0)
    return {"ready_ms": (ready - at) / 1e6, "gap": longest / usual, "gap_ms": longest / 1e6}
