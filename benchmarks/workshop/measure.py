"""Topic `workshop`: the shipped detector quantised and pruned as a user would, on labelled frames of the video."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.goals import Goal
from benchmarks.topic import ROOT, Context, MeasurementError, Report
from benchmarks.video import find_video
from edge_ai.core.errors import EdgeAIError
from edge_ai.evaluation.budget import Budget
from edge_ai.optimization.judging.trial import Job
from edge_ai.optimization.workshop import Outcome, prune_model, quantize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card

LABELS = ROOT / "test" / "accuracy" / "vtest53_person.json"
_VNNI = {"avx512_vnni", "avx_vnni", "asimddp"}  # asimddp: what Arm has in its place
_ANYTHING = Budget(max_loss=1.0, class_loss=1.0)  # here the goals below judge, not the gate

Goals = Mapping[str, tuple[float, str]]


def measure(context: Context, report: Report) -> None:
    """Fill in the report; each variant leaves its model, card and page in ``out/bench/workshop``."""
    video = find_video(context.say)
    if not video.endswith("vtest.avi"):
        report.failures.append("workshop: the labels are of vtest.avi, which could not be fetched")
    fast = 1.8 if vnni() else 1.4
    rounds = int(context.pick(8, 24))
    _run(context, report, "int8", lambda o: _quantize(video, o, "static", rounds), lambda f: _int8(f, fast))
    _run(context, report, "fp16", lambda o: _quantize(video, o, "fp16", rounds), _fp16)
    _run(context, report, "pruned", lambda o: _prune(video, o, rounds), _pruned)


def vnni(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bytes in one instruction: INT8 gains much more there."""
    try:
        return not _VNNI.isdisjoint(cpuinfo.read_text().split())
    except OSError:
        return False


def _job(video: str, rounds: int) -> Job:
    return Job(ModelCard.load(shipped_card()), video, LABELS, _ANYTHING, rounds=rounds)


def _quantize(video: str, output: Path, method: Any, rounds: int) -> Outcome:
    return quantize(_job(video, rounds), output, method=method, command="make bench ONLY=workshop")


def _prune(video: str, output: Path, rounds: int) -> Outcome:
    job = _job(video, rounds)
    return prune_model(job, output, method="structured", amount=0.3, command="make bench ONLY=workshop")


def _run(
    context: Context,
    report: Report,
    name: str,
    make: Callable[[Path], Outcome],
    goals: Callable[[Mapping[str, float] | None], list[Goal]],
) -> None:
    context.say(f"{name} ...")
    try:
        outcome = make(context.folder / "workshop" / name)
        found: Mapping[str, float] | None = figures(outcome.data)
    except (EdgeAIError, MeasurementError) as error:
        report.failures.append(f"{name}: {error}")
        found = None
    else:
        report.results[name] = {"figures": found, "report": outcome.data}
        context.say(f"{name}: {', '.join(f'{key} {value:.4g}' for key, value in found.items())}")
    report.goals += goals(found)


def figures(data: Mapping[str, Any]) -> dict[str, float]:
    """What a variant lost and gained: its AP, the loss, times as fast, part of the size."""
    original, variant = data["variants"][0], data["variants"][-1]
    return {
        "ap": variant["accuracy"]["value"],
        "original_ap": original["accuracy"]["value"],
        "loss": variant["loss"]["value"],
        "loss_high": variant["loss"]["high"],
        "speedup": variant["speedup"]["value"],
        "size": variant["size"] / original["size"],
    }


def _of(found: Mapping[str, float] | None, name: str) -> float | None:
    return found[name] if found else None


def _int8(found: Mapping[str, float] | None, fast: float) -> list[Goal]:
    return [
        Goal("static INT8: size over the original's", _of(found, "size"), 0.25 * 1.05, "lower"),
        Goal("static INT8: speed over the original's", _of(found, "speedup"), fast, "higher"),
        Goal("static INT8: loss of AP50-95", _of(found, "loss"), 0.01, "lower"),
    ]


def _fp16(found: Mapping[str, float] | None) -> list[Goal]:
    return [Goal("FP16: loss of AP50-95", _of(found, "loss"), 0.002, "lower")]


def _pruned(found: Mapping[str, float] | None) -> list[Goal]:
    return [Goal("30 % of the channels less: speed over the original's", _of(found, "speedup"), 1.2, "higher")]
