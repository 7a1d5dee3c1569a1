"""One run of the workshop: make a variant, judge it, and ship it with its card and report, or refuse it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edge_ai.evaluation.compare import Comparison
from edge_ai.optimization import artifact
from edge_ai.optimization.judging.trial import Job, Judged, Trial, Variant
from edge_ai.optimization.progress import Made, Progress, silent
from edge_ai.optimization.pruning import prune
from edge_ai.optimization.quantization.half import to_half
from edge_ai.optimization.quantization.quantize import quantize_dynamic, quantize_static
from edge_ai.optimization.quantization.sensitivity import Sensitivity, leave, sensitivities
from edge_ai.optimization.report import write_report
from edge_ai.optimization.resizing import resize
from edge_ai.optimization.results import report_data

QuantizeMethod = Literal["static", "dynamic", "fp16"]
CalibrationMethod = Literal["minmax", "entropy", "percentile"]
PruneMethod = Literal["structured", "unstructured", "magnitude", "2:4"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        shipped: the variant is in the output folder.
        judged: the original first, then the variants.
        report: where the page lies.
        data: what is in it.
    """

    shipped: bool
    judged: Sequence[Judged]
    report: Path
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A variant and what is known of it already: its accuracy, the layers' sensitivities, those left as they were."""

    variant: Variant
    found: Comparison | None = None
    ranks: Sequence[Sensitivity] = ()
    kept: Collection[str] = ()


_PLAIN: dict[str, tuple[Callable[..., Made], str, str, str]] = {
    "dynamic": (quantize_dynamic, "dynamic INT8", "int8", "int8_dynamic"),
    "fp16": (to_half, "FP16", "fp16", "fp16"),
}
"""What makes a variant without pictures, its name, its precision, and the end of its file's name."""


def quantize(
    job: Job,
    output: Path,
    *,
    method: QuantizeMethod,
    calibration: CalibrationMethod = "minmax",
    keep: Collection[str] = (),
    sensitivity: bool = True,
    command: str = "",
    progress: Progress = silent,
) -> Outcome:
    """Quantise a model and ship it if it passes.

    Static INT8 that loses more than the budget is made again with ever more of the most sensitive layers left in float.

    Args:
        job: the model, the data and the budget.
        output: folder for model, card and report.
        method: "static" or "dynamic" INT8, or "fp16".
        calibration: how ranges of activations are found, for "static".
        keep: names of layers to leave in float in any case.
        sensitivity: measure each layer's, for "static"; otherwise only if it is needed.
        command: the command line, for the report.
        progress: told of every step.

    Raises:
        EdgeAIError: the model, the data or the labels are no good, or nothing can be written; ``output`` is as it was.
    """
    with artifact.workplace(output, *needed(job)) as work:
        trial = Trial(job, progress)
        if method == "static":
            return _conclude(
                trial, work, output, command, _Static(trial, work, calibration, keep, progress).make(sensitivity)
            )
        make, name, precision, end = _PLAIN[method]
        path = work / f"{artifact.file_name(job.card.name)}_{end}.onnx"
        made = make(job.card.model_path, path, keep_float=keep, progress=progress)
        return _conclude(trial, work, output, command, _Tried(carded(job, made, name, precision), kept=keep))


def prune_model(
    job: Job,
    output: Path,
    *,
    method: PruneMethod,
    amount: float,
    keep: Collection[str] = (),
    command: str = "",
    progress: Progress = silent,
) -> Outcome:
    """Prune a model and ship it if it passes; arguments and errors as of `quantize`.

    Args:
        method: "structured" removes channels, the others set weights to zero: "unstructured" the smallest of each
            layer, "magnitude" the smallest of all, "2:4" two of every four.
        amount: share of the channels or weights, 0 to 1.
    """
    with artifact.workplace(output, *needed(job)) as work:
        trial = Trial(job, progress)
        path = work / f"{artifact.file_name(job.card.name)}_{method.replace(':', 'to')}.onnx"
        feeds = trial.feeds() if method == "structured" else None  # zeros are set by the weights alone
        made = prune(job.card.model_path, path, method, amount, keep=keep, feeds=feeds, progress=progress)
        return _conclude(trial, work, output, command, _Tried(carded(job, made, f"pruned, {method}", "fp32")))


def resize_model(
    job: Job, output: Path, *, size: tuple[int, int], command: str = "", progress: Progress = silent
) -> Outcome:
    """Let a model take a smaller picture and ship it if it passes; arguments and errors as of `quantize`.

    Args:
        size: width and height in pixels.
    """
    with artifact.workplace(output, *needed(job)) as work:
        trial = Trial(job, progress)
        name = "x".join(map(str, size))
        path = work / f"{artifact.file_name(job.card.name)}_{name}.onnx"
        made = resize(job.card.model_path, path, size, job.card.input, progress=progress)
        return _conclude(trial, work, output, command, _Tried(carded(job, made, f"input {name}", "fp32")))


def carded(job: Job, made: Made, name: str, precision: str) -> Variant:
    """A variant with its card beside its model."""
    how = made.path.stem.removeprefix(artifact.file_name(job.card.name)).strip("_").replace("_", ".")
    version = f"{job.card.version}+{how}"
    source = f"{name} of {job.card.name} {job.card.version} (sha256 {job.card.sha256}), by edge_ai; {job.card.source}"
    path = made.path.with_suffix(".yaml")
    card = artifact.write_card(job.card, made.path, path, version=version, source=source, size=made.size)
    return Variant(name, precision, card, made)


def _conclude(trial: Trial, work: Path, output: Path, command: str, tried: _Tried) -> Outcome:
    """Judge a variant, and ship or refuse it."""
    variant, card = tried.variant, trial.job.card
    judged = trial.judge([variant], {variant.name: tried.found} if tried.found else None)
    title = f"{card.name} {card.version}: {variant.name}"
    data = report_data(title, command, trial, judged, sensitivities=tried.ranks, kept=tried.kept)
    return deliver(work, output, judged, data)


def deliver(work: Path, output: Path, judged: Sequence[Judged], data: dict[str, Any]) -> Outcome:
    """Ship what passed with its report; of what was refused only the report is kept, beside what was there before."""
    page = write_report(data)
    if data["verdict"]["shipped"]:
        artifact.ship(work, output, data, page)
        return Outcome(True, judged, output / "report.html", data)
    name = "refused" if artifact.shipped_files(output) else "report"
    return Outcome(False, judged, artifact.write_report_files(output, name, {**data, "files": []}, page), data)


def needed(job: Job) -> list[Path]:
    """What must outlive the run."""
    return [job.card.model_path.parent, Path(job.data), *([job.labels] if job.labels else [])]


class _Static:
    """Static INT8, as much of it as the budget bears."""

    def __init__(
        self, trial: Trial, work: Path, calibration: CalibrationMethod, keep: Collection[str], progress: Progress
    ) -> None:
        self._trial, self._calibration, self._progress = trial, calibration, progress
        self._keep, self._budget = frozenset(keep), trial.job.budget
        self._source = trial.job.card.model_path
        self._target = work / f"{artifact.file_name(trial.job.card.name)}_int8.onnx"

    def make(self, sensitivity: bool) -> _Tried:
        variant, found = self._with(self._keep)
        good = self._budget.holds(found)
        ranks: Sequence[Sensitivity] = ()
        if sensitivity or not good:
            feeds = self._trial.feeds()
            ranks = sensitivities(self._source, feeds, method=self._calibration, progress=self._progress)
        kept, count = self._keep, 1
        free = [one for one in ranks if one.layer not in self._keep]
        while not good and count < len(free):
            kept = self._keep | leave(free, count)
            variant, found = self._with(kept)
            good, count = self._budget.holds(found), count * 2
        return _Tried(variant, found, ranks, kept)

    def _with(self, kept: Collection[str]) -> tuple[Variant, Comparison]:
        made = quantize_static(
            self._source,
            self._target,
            self._trial.feeds(),
            method=self._calibration,
            keep_float=kept,
            progress=self._progress,
        )
        name = f"static INT8, {len(kept)} layers in float" if kept else "static INT8"
        variant = carded(self._trial.job, made, name, "int8")
        return variant, self._trial.compare(variant.card, f"{name} answers")
