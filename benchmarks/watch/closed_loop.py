"""Part `closed_loop`: a robot whose machine is suddenly three times as busy, and what its ladder does about it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.goals import Goal
from benchmarks.sides import replay
from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card
from edge_ai.watched.params import WatchedParams
from edge_ai.watched.robot import WatchedRobot
from edge_ai.watched.watcher import Watcher

GOALS = {
    "restored": Goal("3 x overload: until the fps target is met again, median, s", None, 10.0, "lower"),
    "kept": Goal("3 x overload: results/s from 10 s on over the target, median", None, 0.9, "higher"),
    "back": Goal("end of the overload: until every step is undone, median, s", None, 30.0, "lower"),
    "swings": Goal("switches beyond one up and one down a step, all trials", None, 0.0, "lower"),
}
_SIZES = (256, 160)  # px, of the lighter variants
_SHARE = 0.6  # of what the machine can do when calm: the target
_TRIALS, _LOADED, _QUIET = (1, 3), 30.0, 20.0  # s of load; s looked at after the last step is undone
_BACK = 60.0  # s after which a trial is given up
_WINDOW, _MET = 2.0, 0.95  # s; share of the target that counts as met, frames being whole
_RESTORED = 10.0  # s after which the target is to be kept


@dataclass
class _Seen(Watcher):
    """Steady times of results, and of changes of the ladder's level."""

    results: list[int] = field(default_factory=list)
    levels: list[tuple[int, int]] = field(default_factory=list)
    changes: int = 0
    level: int = 0
    words: list[str] = field(default_factory=list)

    def result(self, result: Result, frame: Frame) -> None:
        self.results.append(time.monotonic_ns())

    def mitigation(self, status: MitigationStatus) -> None:
        if status.level != self.level:
            self.levels.append((time.monotonic_ns(), status.level))
            self.words.append(status.message)
        self.level, self.changes = status.level, status.changes

    def rate(self, begin: int, end: int) -> float:
        """Results a second in a stretch of time."""
        return sum(begin <= at < end for at in list(self.results)) * NS / (end - begin)


def measure(context: Context, report: Report) -> Mapping[str, float]:
    """Load and unload the machine again and again; the values of the goals."""
    replay.register()
    video = find_video(context.say)
    variants = _variants(context.folder / "closed_loop")
    calm = _free_rate(video)
    target = _SHARE * calm
    with _overload():
        loaded = _free_rate(video)
    context.say(f"calm {calm:.1f} results/s, overloaded {loaded:.1f}; the target is {target:.1f}")
    trials = []
    for _ in range(int(context.pick(*_TRIALS))):
        trials.append(_trial(video, target, variants))
        context.say(_words(trials[-1]))
    report.results["closed_loop"] = {
        "calm_results_s": calm,
        "overloaded_results_s": loaded,
        "target_fps": target,
        "variants_px": _SIZES,
        "trials": trials,
    }
    return {
        "restored": statistics.median(one["restored"] for one in trials),
        "kept": statistics.median(one["kept"] for one in trials),
        "back": statistics.median(one["back"] for one in trials),
        "swings": sum(one["changes"] - 2 * one["steps"] for one in trials),
    }


def _trial(video: str, target: float, variants: list[str]) -> dict[str, Any]:
    """Calm, overload, calm again."""
    seen = _Seen()
    with _robot(video, target, target, variants, seen):
        time.sleep(6.0)
        if seen.level:
            raise MeasurementError(f"the ladder is used without a load: {seen.words}")
        with _overload():
            begin = time.monotonic_ns()
            time.sleep(_LOADED)
            end = time.monotonic_ns()
            steps = seen.level
        back = _await_back(seen, end)
        time.sleep(_QUIET)
    return {
        "restored": _restored(seen, begin, end, target),
        "kept": seen.rate(begin + round(_RESTORED * NS), end) / target,
        "least_share": min(seen.rate(at, at + NS) for at in range(begin, end - NS, NS // 10)) / target,
        "back": back,
        "steps": steps,
        "changes": seen.changes,
        "messages": seen.words,
        "levels": [((at - begin) / NS, level) for at, level in seen.levels],
    }


def _restored(seen: _Seen, begin: int, end: int, target: float) -> float:
    """Seconds until the end of the first stretch after the dip in which the target is met; the load's, if none is."""
    window, dipped = round(_WINDOW * NS), False
    for at in range(begin, end - window, NS // 10):
        met = seen.rate(at, at + window) >= _MET * target
        if met and dipped:
            return (at + window - begin) / NS
        dipped |= not met
    return (end - begin) / NS if dipped else 0.0


def _await_back(seen: _Seen, end: int) -> float:
    while seen.level:
        if time.monotonic_ns() - end > _BACK * NS:
            return _BACK
        time.sleep(0.05)
    return (seen.levels[-1][0] - end) / NS if seen.levels else 0.0


def _free_rate(video: str) -> float:
    """Results a second of a robot whose camera is quicker than its model, without a ladder."""
    seen = _Seen()
    with _robot(video, 200.0, 0.0, [], seen):
        time.sleep(2.0)
        begin = time.monotonic_ns()
        time.sleep(5.0)
        return seen.rate(begin, time.monotonic_ns())


@contextlib.contextmanager
def _robot(video: str, rate: float, target: float, variants: list[str], seen: _Seen) -> Iterator[WatchedRobot]:
    params = WatchedParams.parse(
        {
            "camera": {"source": replay.address(video, rate)},
            "inference": {"variants": variants} if variants else {},
            "monitor": {"target_fps": target, "mitigation": "" if target else "none", "log_period": 0.0},
        }
    )
    robot = WatchedRobot(params, SystemClock(), [seen], page=False, record=False)
    try:
        robot.prepare()
        robot.start()
        yield robot
    finally:
        robot.close()


@contextlib.contextmanager
def _overload() -> Iterator[None]:
    """Two busy processes a core: what runs beside them has a third of the machine."""
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=_burn, daemon=True) for _ in range(2 * (os.cpu_count() or 1))]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
        for burner in burners:
            burner.join()


def _burn() -> None:
    while True:
        pass


def _variants(folder: Path) -> list[str]:
    """Cards of the shipped detector for smaller pictures, made here."""
    folder.mkdir(parents=True, exist_ok=True)
    card, cards = ModelCard.load(shipped_card()), []
    for size in _SIZES:
        made = resize(card.model_path, folder / f"small_{size}.onnx", (size, size), card.input)
        path = folder / f"small_{size}.yaml"
        write_card(card, made.path, path, version=f"{size}", source="benchmarks", size=made.size)
        cards.append(str(path))
    return cards


def _words(one: Mapping[str, Any]) -> str:
    return (
        f"met again after {one['restored']:.1f} s, {one['kept']:.2f} of it kept, {one['steps']} steps; "
        f"back after {one['back']:.1f} s, {one['changes']} switches: {'; '.join(one['messages'])}"
    )
