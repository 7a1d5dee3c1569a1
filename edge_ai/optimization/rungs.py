"""The variants worth trying: one line each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_ai.optimization.judging.trial import Trial
from edge_ai.optimization.progress import Made, Progress
from edge_ai.optimization.pruning import prune
from edge_ai.optimization.quantization.half import to_half
from edge_ai.optimization.quantization.quantize import quantize_dynamic, quantize_static
from edge_ai.optimization.quantization.sensitivity import leave, sensitivities
from edge_ai.optimization.workshop import CalibrationMethod
from edge_ai.platforms.boards import Precision

Make = Callable[[Trial, Path, Progress], Made]


@dataclass(frozen=True, slots=True)
class Rung:
    """A variant worth trying.

    Attributes:
        title: what it is called in reports.
        precision: of its weights.
        make: makes it, as the file it is told.
        tensorrt: whether TensorRT runs it; all do on the processor.
    """

    title: str
    precision: Precision
    make: Make
    tensorrt: bool = True


def rungs() -> dict[str, Rung]:
    """Every rung by its short name, from the mildest to the harshest."""
    found = {
        "fp16": Rung("FP16", "fp16", _half),
        "int8_dynamic": Rung("dynamic INT8", "int8", _dynamic, tensorrt=False),
    }
    methods: tuple[CalibrationMethod, ...] = ("minmax", "percentile", "entropy")
    for method in methods:
        found[f"int8_{method}"] = Rung(f"static INT8, {method}", "int8", _static(method))
    found["int8_mixed"] = Rung("static INT8 but for the most sensitive layers", "int8", _mixed)
    for percent in (10, 20, 30):
        found[f"pruned{percent}"] = Rung(f"{percent} % of the channels less", "fp32", _pruned(percent / 100))
    for percent in (10, 20):
        title = f"{percent} % of the channels less, static INT8"
        found[f"pruned{percent}_int8"] = Rung(title, "int8", _pruned_int8(percent / 100))
    return found


def _half(trial: Trial, path: Path, progress: Progress) -> Made:
    return to_half(trial.job.card.model_path, path, progress=progress)


def _dynamic(trial: Trial, path: Path, progress: Progress) -> Made:
    return quantize_dynamic(trial.job.card.model_path, path, progress=progress)


def _static(method: CalibrationMethod) -> Make:
    def make(trial: Trial, path: Path, progress: Progress) -> Made:
        return quantize_static(trial.job.card.model_path, path, trial.feeds(), method=method, progress=progress)

    return make


def _mixed(trial: Trial, path: Path, progress: Progress) -> Made:
    """A tenth of the layers, those whose quantisation changes the answers most, stay in float."""
    source = trial.job.card.model_path
    ranks = sensitivities(source, trial.feeds(), progress=progress)
    kept = leave(ranks, math.ceil(len(ranks) / 10))
    made = quantize_static(source, path, trial.feeds(), keep_float=kept, progress=progress)
    return Made(path, (*made.notes, f"In float: {', '.join(sorted(kept))}."), made.layers)


def _pruned(amount: float) -> Make:
    def make(trial: Trial, path: Path, progress: Progress) -> Made:
        return prune(trial.job.card.model_path, path, "structured", amount, feeds=trial.feeds(), progress=progress)

    return make


def _pruned_int8(amount: float) -> Make:
    def make(trial: Trial, path: Path, progress: Progress) -> Made:
        between = path.with_name(f"between_{path.name}")
        pruned = _pruned(amount)(trial, between, progress)
        made = quantize_static(between, path, trial.feeds(), progress=progress)
        between.unlink()
        return Made(path, (*pruned.notes, *made.notes), (*pruned.layers, *made.layers))

    return make
