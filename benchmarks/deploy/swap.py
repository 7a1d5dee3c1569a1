"""Part `swap`: what replacing the model costs the one that serves, and what a thousand swaps leave behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.deploy.tiny import Stream, tiny_model
from benchmarks.figures import percentile
from benchmarks.goals import Goal
from benchmarks.loaded import Loaded, Seen, usual_intervals
from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.video import find_video
from benchmarks.watch.lighter import pictures_of
from edge_ai.core.memory import free_memory
from edge_ai.optimization.artifact import write_card
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.status import SwapState

GOALS = {
    "gap": Goal("hot swap: gap between results at the switch, times the usual interval, median", None, 1.2, "lower"),
    "lost": Goal("hot swaps under load: frames lost or answered twice", None, 0.0, "lower"),
    "memory": Goal("many hot swaps, one in five failing: memory gained by each, KiB", None, 10.0, "lower"),
    "threads": Goal("many hot swaps: threads gained", None, 0.0, "lower"),
    "files": Goal("many hot swaps: open files gained", None, 0.0, "lower"),
}

_SETTLED = 0.1  # of the swaps, after which memory is to stay as it is


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Swaps of the real detector, then many of a tiny one; the values of the goals."""
    real = _real(context)
    many = _many(context)
    report.results["swap"] = {"real": real, "many": many}
    context.say(
        f"hot swap of the detector: gap {real['gap']:.2f} times the usual interval (p95 {real['gap_p95']:.2f}; away "
        f"from switches p95 {real['p95_away']:.2f}), {real['lost']} of {real['frames']} frames lost; staged in "
        f"{real['stage_s']:.1f} s, with results every {real['staging']:.2f} usual intervals meanwhile"
    )
    context.say(
        f"{many['swaps']} swaps, {many['rollbacks']} taken back: {many['memory_kib']:+.2f} KiB each, threads "
        f"{many['threads']:+d}, files {many['files']:+d}, {many['lost']} of {many['frames']} frames lost"
    )
    return {
        "gap": real["gap"],
        "lost": real["lost"] + many["lost"],
        "memory": many["memory_kib"],
        "threads": many["threads"],
        "files": many["files"],
    }


@contextmanager
def _serving(swap: SwapParams, pictures: list[Any]) -> Iterator[tuple[HotSwap, Loaded]]:
    serving = HotSwap(InferenceParams(), swap)
    serving.open()
    try:
        with Loaded(serving.model, cycle(pictures), serving.result).running() as load:
            yield serving, load
    finally:
        serving.close()


def _real(context: Context) -> dict[str, Any]:
    """The shipped detector and a copy of it, to and fro, with all there is: trial, shadow, probation."""
    folder, pictures = context.folder / "swap", pictures_of(find_video(context.say))
    cards = [shipped_card(), _copy(folder)]
    swap = SwapParams(
        state_folder=_fresh(folder / "state"),
        latency_budget=1.0,
        shadow_frames=10,
        probation=1.0,
        probation_frames=20,
    )
    switched, staged = [], []
    with _serving(swap, pictures) as (serving, load):
        for number in range(int(context.pick(6, 30))):
            begun = time.monotonic_ns()
            serving.stage(cards[(number + 1) % 2])
            staged.append((begun, time.monotonic_ns()))
            time.sleep(0.5)
            switched.append(time.monotonic_ns())
            serving.switch()
            _until(lambda: serving.status.state is SwapState.IDLE)
            if serving.status.rollbacks:
                raise MeasurementError(f"a good model was taken back: {serving.status.message}")
    usual = median(usual_intervals(load.seen).values())
    gaps = [_gap(load.seen, at) / usual for at in switched]
    busy = [interval for span in staged for interval in _intervals(load.seen, *span)]
    away = [b.at - a.at for a, b in pairwise(load.seen) if a.version == b.version]
    return {
        "swaps": len(switched),
        "gap": median(gaps),
        "gap_p95": percentile(gaps, 95),
        "p95_away": percentile(away, 95) / usual,
        "usual_interval_ms": usual / 1e6,
        "staging": median(busy) / usual,
        "stage_s": median(end - begun for begun, end in staged) / 1e9,
        "frames": load.submitted,
        "lost": load.lost,
    }


def _gap(seen: Sequence[Seen], at: int) -> int:
    """From the last result of the model before a switch to the first one of the other, in nanoseconds."""
    before = [one.version for one in seen if one.at <= at][-1]
    later = next(i for i, one in enumerate(seen) if one.at > at and one.version != before)
    return seen[later].at - seen[later - 1].at


def _intervals(seen: Sequence[Seen], begun: int, ended: int) -> list[int]:
    within = [one.at for one in seen if begun <= one.at <= ended]
    return [b - a for a, b in pairwise(within)]


def _many(context: Context) -> dict[str, Any]:
    """A tiny model in place of another one over and over; every fifth answers NaN once it serves."""
    folder, count = context.folder / "many_swaps", int(context.pick(50, 1000))
    good, bad = [tiny_model(folder, "2"), tiny_model(folder, "3")], tiny_model(folder, "4", bad=True)
    swap = SwapParams(
        state_folder=_fresh(folder / "state"),
        trial=False,
        latency_budget=1.0,
        shadow_frames=2,
        shadow_share=1.0,
        probation=0.1,
        probation_frames=5,
    )
    serving = HotSwap(InferenceParams(model=str(tiny_model(folder, "1"))), swap)
    serving.open()
    measured = []
    with Stream(serving.model, serving.result).running() as stream:
        for number in range(count):
            fails = number % 5 == 4
            serving.stage(bad if fails else good[number % 2])
            serving.switch()
            stream.bright = fails
            _until(lambda: serving.status.state is SwapState.IDLE)
            stream.bright = False
            measured.append(_measured())
    status = serving.status
    serving.close()
    if status.rollbacks != count // 5:
        raise MeasurementError(f"{status.rollbacks} of {count} swaps were taken back, wanted {count // 5}")
    settled = int(count * _SETTLED)
    memory, threads, files = (np.array(values) for values in zip(*measured[settled:], strict=True))
    return {
        "swaps": status.switches,
        "rollbacks": status.rollbacks,
        "memory_kib": float(np.polyfit(np.arange(len(memory)), memory, 1)[0]) / 1024,
        "resident_mib": [int(memory[0]) >> 20, int(memory[-1]) >> 20],
        "threads": int(np.median(threads[-10:]) - np.median(threads[:10])),
        "files": int(np.median(files[-10:]) - np.median(files[:10])),
        "frames": stream.submitted,
        "lost": stream.lost,
    }


def _measured() -> tuple[int, int, int]:
    free_memory()
    process = psutil.Process()
    return process.memory_info().rss, process.num_threads(), process.num_fds()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        if time.monotonic() > deadline:
            raise MeasurementError("an update did not end within 60 s")
        time.sleep(0.005)


def _fresh(folder: Path) -> str:
    """A folder that remembers no earlier run."""
    shutil.rmtree(folder, ignore_errors=True)
    return str(folder)


def _copy(folder: Path) -> Path:
    """The shipped detector under another version."""
    card = ModelCard.load(shipped_card())
    folder.mkdir(parents=True, exist_ok=True)
    model = Path(shutil.copy(card.model_path, folder / "copy.onnx"))
    write_card(card, model, folder / "copy.yaml", version=f"{card.version}+copy", source="benchmarks")
    return folder / "copy.yaml"
