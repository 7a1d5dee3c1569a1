"""The ladder of variants: all that is worth trying, and which of it nothing else beats."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.evaluation.compare import Comparison
from edge_ai.optimization import artifact
from edge_ai.optimization.forecast import forecasts
from edge_ai.optimization.judging.trial import Job, Judged, Trial, Variant
from edge_ai.optimization.progress import Progress, silent
from edge_ai.optimization.results import pareto, report_data
from edge_ai.optimization.rungs import Rung, rungs
from edge_ai.optimization.workshop import Outcome, carded, deliver, needed
from edge_ai.platforms.boards import Board, board
from edge_ai.platforms.calibration import Prediction


def optimize(
    job: Job,
    output: Path,
    *,
    names: Sequence[str] = (),
    target: str = "",
    command: str = "",
    progress: Progress = silent,
) -> Outcome:
    """Try the ladder, and ship every variant that passes the gate and that no other one beats.

    Args:
        job: the model, the data and the budget.
        output: one folder for each variant is made in it, and a report on all.
        names: rungs to try; empty: all.
        target: key of a board in the table of Jetsons; then speeds foretold for it decide.
        command: the command line, for the report.
        progress: told of every step.

    Returns:
        Shipped if there is one at least; the recommended one is the fastest of them, on the target if there is one.

    Raises:
        EdgeAIError: as of `workshop.quantize`; no such rung or board; or not one variant could be made.
    """
    ladder = _chosen(names)
    wanted = board(target) if target else None
    with artifact.workplace(output, *needed(job)) as work:
        trial = Trial(job, progress)
        made = _make(trial, work, ladder, wanted, progress)
        judged = trial.judge(made.variants, made.accuracies)
        foretold = forecasts(judged, wanted) if wanted is not None else {}
        if wanted is not None:
            made.notes.append(f"foretold for {wanted.name} in {wanted.top.name}; FP32 variants as FP16 engines")
        choice = _choose(judged, foretold)
        title = f"{job.card.name} {job.card.version}: the ladder"
        chosen = choice.best or judged[-1]
        data = report_data(title, command, trial, judged, chosen=chosen, notes=made.notes)
        _complete(data, judged, choice, made.folders, foretold)
        for name, folder in made.folders.items():
            if name not in choice.shipped:
                shutil.rmtree(folder)
        return deliver(work, output, judged, data)


@dataclass(slots=True)
class _Made:
    """What could be made and answers: variants, their accuracies and folders by name, and why others are not here."""

    variants: list[Variant] = field(default_factory=list)
    accuracies: dict[str, Comparison] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Names of the variants that nothing beats, of those that are shipped, and the recommended one."""

    front: frozenset[str]
    shipped: frozenset[str]
    best: Judged | None


def _make(trial: Trial, work: Path, ladder: Mapping[str, Rung], target: Board | None, progress: Progress) -> _Made:
    """Make every rung and let it answer; one that cannot is no reason to give up the others."""
    found, job = _Made(), trial.job
    for name, rung in ladder.items():
        if target is not None and (reason := _unfit(rung, target)):
            found.notes.append(f"{rung.title}: left out, {reason}")
            continue
        folder = work / name
        folder.mkdir()
        try:
            path = folder / f"{artifact.file_name(job.card.name)}_{name}.onnx"
            variant = carded(job, rung.make(trial, path, progress), rung.title, rung.precision)
            found.accuracies[rung.title] = trial.compare(variant.card, f"{rung.title} answers")
        except EdgeAIError as error:
            found.notes.append(f"{rung.title}: {error}")
            shutil.rmtree(folder)
            continue
        found.variants.append(variant)
        found.folders[rung.title] = folder
    if not found.variants:
        raise EdgeAIError(f"variants of {job.card.name}", got="; ".join(found.notes), wanted="one at least")
    return found


def _choose(judged: Sequence[Judged], foretold: Mapping[str, Prediction]) -> _Choice:
    seconds = _seconds(judged, foretold)
    good = [judged[0], *(one for one in judged[1:] if one.decision.shipped)]
    front = frozenset(pareto(good, seconds))
    shipped = [one for one in good[1:] if one.variant.name in front]
    best = min(shipped, key=lambda one: (seconds(one), -one.comparison.after.value), default=None)
    return _Choice(front, frozenset(one.variant.name for one in shipped), best)


def _seconds(judged: Sequence[Judged], foretold: Mapping[str, Prediction]) -> Callable[[Judged], float]:
    """By what variants are ranked: as foretold where all are, to two digits, for none is nearer; else measured."""
    if all(one.variant.name in foretold for one in judged):
        return lambda one: float(f"{foretold[one.variant.name].seconds:.2g}")
    return lambda one: one.measured.latency_ms.value / 1e3


def _complete(
    data: dict[str, Any],
    judged: Sequence[Judged],
    choice: _Choice,
    folders: Mapping[str, Path],
    foretold: Mapping[str, Prediction],
) -> None:
    """Say in a report what only the whole ladder knows."""
    data["verdict"] = _verdict(judged, choice, folders)
    data["recommended"] = folders[choice.best.variant.name].name if choice.best else None
    for row in data["variants"]:
        name = row["name"]
        row["pareto"], row["shipped"] = name in choice.front, name in choice.shipped
        row["folder"] = folders[name].name if name in choice.shipped else None
        if name in foretold:
            row["forecast"] = {"fps": foretold[name].fps, "low": foretold[name].low, "high": foretold[name].high}


def _verdict(judged: Sequence[Judged], choice: _Choice, folders: Mapping[str, Path]) -> dict[str, Any]:
    if choice.best is None:
        reasons = [f"{one.variant.name}: {'; '.join(one.decision.reasons)}" for one in judged[1:]]
        return {"shipped": False, "reasons": reasons}
    name = choice.best.variant.name
    others = ", ".join(folder.name for title, folder in folders.items() if title in choice.shipped)
    return {
        "shipped": True,
        "variant": name,
        "reasons": [
            f"{len(choice.shipped)} of {len(judged) - 1} variants passed and are not beaten by another: {others}",
            f"recommended, the fastest of them: {folders[name].name} ({name})",
        ],
    }


def _unfit(rung: Rung, target: Board) -> str:
    """Why a board cannot run a variant; empty if it can."""
    if rung.precision == "int8" and target.int8_tops is None:
        return f"{target.name} has no units for it"
    return "" if rung.tensorrt else "TensorRT does not run it"


def _chosen(names: Sequence[str]) -> dict[str, Rung]:
    ladder = rungs()
    for name in names:
        if name not in ladder:
            raise ParameterError("--try", got=repr(name), wanted=f"some of {', '.join(ladder)}")
    return {name: rung for name, rung in ladder.items() if not names or name in names}
