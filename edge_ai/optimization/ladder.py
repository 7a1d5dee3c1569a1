"""The ladder of variants: all that is worth trying, and which of it nothing else beats."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.optimization import artifact
from edge_ai.optimization.forecast import forecasts
from edge_ai.optimization.judging.budget import Decision
from edge_ai.optimization.judging.trial import Job, Judged, Trial
from edge_ai.optimization.progress import Progress, silent
from edge_ai.optimization.report import write_report
from edge_ai.optimization.results import pareto, report_data
from edge_ai.optimization.rungs import Rung, rungs
from edge_ai.optimization.workshop import Outcome, carded
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
        target: key of a board in the table of Jetsons; speeds are then foretold for it, too.
        command: the command line, for the report.
        progress: told of every step.

    Returns:
        Shipped if there is one at least; the recommended one is the fastest of them, on the target if there is one.

    Raises:
        EdgeAIError: as of `workshop.quantize`; or no such rung or board.
    """
    ladder = _chosen(names)
    wanted = board(target) if target else None
    with artifact.workplace(output) as work:
        trial, notes = Trial(job, progress), []
        variants, folders = [], {}
        for name, rung in ladder.items():
            if wanted is not None and (reason := _unfit(rung, wanted)):
                notes.append(f"{rung.title}: left out, {reason}")
                continue
            folder = work / name
            folder.mkdir()
            try:
                made = rung.make(trial, folder / f"{job.card.name}_{name}.onnx", progress)
                variants.append(carded(job, made, rung.title, rung.precision))
                folders[rung.title] = folder
            except EdgeAIError as error:  # one that cannot be made is no reason to give up the others
                notes.append(f"{rung.title}: {error}")
                shutil.rmtree(folder)
        judged = trial.judge(variants)
        foretold = forecasts(judged, wanted) if wanted is not None else {}
        if wanted is not None:
            notes.append(f"foretold for {wanted.name} in {wanted.top.name}; what is FP32 here as an FP16 engine there")
        return _deliver(work, output, job, command, trial, judged, folders, foretold, notes)


def _deliver(
    work: Path,
    output: Path,
    job: Job,
    command: str,
    trial: Trial,
    judged: Sequence[Judged],
    folders: Mapping[str, Path],
    foretold: Mapping[str, Prediction],
    notes: Sequence[str],
) -> Outcome:
    good = [judged[0], *(one for one in judged[1:] if one.decision.shipped)]
    front = pareto(good)
    shipped = [one for one in good[1:] if one.variant.name in front]
    best = min(shipped, key=lambda one: (_seconds(one, foretold), -one.comparison.after.value), default=None)
    data = report_data(
        f"{job.card.name} {job.card.version}: the ladder",
        command,
        trial,
        judged,
        chosen=best or judged[-1],
        notes=notes,
    )
    names = {one.variant.name for one in shipped}
    for title, folder in folders.items():
        if title not in names:
            shutil.rmtree(folder)
    data["verdict"] = _verdict(shipped, best, judged, folders)
    data["recommended"] = folders[best.variant.name].name if best else None
    for row in data["variants"]:
        row["pareto"] = row["name"] in front
        row["folder"] = folders[row["name"]].name if row["name"] in names else None
        if row["name"] in foretold:
            row["forecast"] = {"fps": (one := foretold[row["name"]]).fps, "low": one.low, "high": one.high}
    page, text = write_report(data), json.dumps(data, indent=2, allow_nan=False) + "\n"
    if shipped:
        artifact.write_files(work, {"report.html": page, "report.json": text})
        artifact.ship(work, output)
        return Outcome(True, judged, output / "report.html", data)
    name = "refused" if (output / "report.json").exists() else "report"
    artifact.write_files(output, {f"{name}.html": page, f"{name}.json": text})
    return Outcome(False, judged, output / f"{name}.html", data)


def _verdict(
    shipped: Sequence[Judged], best: Judged | None, judged: Sequence[Judged], folders: Mapping[str, Path]
) -> dict[str, Any]:
    if best is None:
        return {"shipped": False, "reasons": [f"{one.variant.name}: {_why(one.decision)}" for one in judged[1:]]}
    others = ", ".join(folders[one.variant.name].name for one in shipped)
    return {
        "shipped": True,
        "variant": best.variant.name,
        "reasons": [
            f"{len(shipped)} of {len(judged) - 1} variants passed and are not beaten by another: {others}",
            f"recommended, the fastest of them: {folders[best.variant.name].name} ({best.variant.name})",
        ],
    }


def _why(decision: Decision) -> str:
    return "; ".join(decision.reasons)


def _unfit(rung: Rung, target: Board) -> str:
    """Why a board cannot run a variant; empty if it can."""
    if rung.precision == "int8" and target.int8_tops is None:
        return f"{target.name} has no units for it"
    return "" if rung.tensorrt else "TensorRT does not run it"


def _seconds(one: Judged, foretold: Mapping[str, Prediction]) -> float:
    if one.variant.name in foretold:
        return float(f"{foretold[one.variant.name].seconds:.2g}")  # nearer than that no forecast is
    return one.measured.latency_ms.value / 1e3


def _chosen(names: Sequence[str]) -> dict[str, Rung]:
    ladder = rungs()
    for name in names:
        if name not in ladder:
            raise ParameterError("--try", got=repr(name), wanted=f"some of {', '.join(ladder)}")
    return {name: rung for name, rung in ladder.items() if not names or name in names}
