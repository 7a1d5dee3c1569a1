"""Two models that are there already, held against each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edge_ai.core.errors import CardError
from edge_ai.optimization import artifact
from edge_ai.optimization.judging.trial import Job, Trial, Variant
from edge_ai.optimization.onnx_file import load_model
from edge_ai.optimization.onnx_graph import nodes
from edge_ai.optimization.progress import Progress, silent
from edge_ai.optimization.report import write_report
from edge_ai.optimization.results import report_data
from edge_ai.optimization.workshop import Outcome
from edge_ai.processing.card import ModelCard

_FLOAT, _FLOAT16 = 1, 10  # onnx.TensorProto


def compare_models(
    job: Job, other: ModelCard, output: Path | None = None, *, command: str = "", progress: Progress = silent
) -> Outcome:
    """Judge a model against another of the same task and the same class names; each is fed as its own card says.

    Args:
        job: the one that counts as the original, the data and the budget.
        other: the one to judge.
        output: folder for a report; None: none is written.
        command: the command line, for the report.
        progress: told of every step.

    Returns:
        As shipped if the gate would pass it; ``report`` is the folder's, or empty.

    Raises:
        EdgeAIError: a model or the data are no good, or the two do not do the same.
    """
    if other.task != job.card.task:
        raise CardError(
            f"model card '{other.name}'", got=f"task {other.task}", wanted=f"{job.card.task}, as of the other"
        )
    if other.labels != job.card.labels and not job.labels:
        mend = "give --labels, which both are then held against"
        raise CardError(f"model card '{other.name}'", got="other class names than the original's", mend=mend)
    trial = Trial(job, progress)
    name = f"{other.name} {other.version}"
    variant = Variant(name if name != "original" else f"{name} (B)", _precision(other), other)
    judged = trial.judge([variant])
    data = report_data(f"{job.card.name} {job.card.version} and {name}", command, trial, judged)
    report = Path()
    if output is not None:
        report = artifact.write_report_files(output, "comparison", data, write_report(data))
    return Outcome(data["verdict"]["shipped"], judged, report, data)


def _precision(card: ModelCard) -> str:
    """What a model computes in, as far as its file says."""
    model = load_model(card.model_path)
    if any(node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear") for node in nodes(model.graph)):
        return "int8"
    kinds = Counter(tensor.data_type for tensor in model.graph.initializer)
    return "fp16" if kinds[_FLOAT16] > kinds[_FLOAT] else "fp32"
