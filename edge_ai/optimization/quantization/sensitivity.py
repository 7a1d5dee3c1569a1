"""How much each layer's quantisation changes what a model answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.backends.onnxrt_faults import avoid
from edge_ai.core.errors import ModelError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import save_model
from edge_ai.optimization.progress import Feeds, Progress, silent
from edge_ai.optimization.quantization.calibration import Method, calibrate, fitting
from edge_ai.optimization.quantization.prepare import chosen, prepared, scratch
from edge_ai.optimization.quantization.qdq import insert

Outputs = Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What the quantisation of one layer alone does.

    Attributes:
        layer: name of the operator.
        operator: its type, such as "Conv".
        error: length of the change of the model's outputs over their length, mean over outputs and pictures.
        weights: how many numbers its weights are.
    """

    layer: str
    operator: str
    error: float
    weights: int


def sensitivities(
    source: Path,
    feeds: Feeds,
    *,
    method: Method = "minmax",
    percentile: float = 99.99,
    pictures: int = 4,
    progress: Progress = silent,
) -> tuple[Sensitivity, ...]:
    """The error of each layer that can be quantised, worst first.

    The model is calibrated once. Then each layer in turn is quantised alone, and run on a few of the pictures.

    Args:
        source: ONNX file of the float32 model.
        feeds: pictures; all of them calibrate.
        method: as of `quantize_static`.
        percentile: likewise.
        pictures: on how many of them, evenly over all, the layers are compared; these are held in memory.
        progress: told of every layer; it may raise to interrupt.

    Raises:
        EdgeAIError: as of `quantize_static`.
    """
    with scratch() as folder:
        model = prepared(Path(source), folder, progress)
        layers = chosen(model, (), Path(source))
        ranges, count = calibrate(model, feeds, folder, method=method, percentile=percentile, progress=progress)
        picked = {(2 * i + 1) * count // (2 * pictures) for i in range(min(pictures, count))}
        held = [feed for number, feed in enumerate(fitting(model, feeds)) if number in picked]
        right = _run(model, held, folder)
        sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
        found = []
        for done, (name, node) in enumerate(layers.items()):
            progress("measuring layers", done, len(layers))
            answers = _run(insert(model, ranges, [name]), held, folder)
            found.append(Sensitivity(name, node.op_type, _error(right, answers), sizes[node.input[1]]))
        progress("measuring layers", len(layers), len(layers))
    return tuple(sorted(found, key=lambda one: -one.error))


def leave(ranks: Sequence[Sensitivity], count: int) -> frozenset[str]:
    """Which layers to leave in float: the ``count`` that change the answers most, from what `sensitivities` found."""
    return frozenset(one.layer for one in sorted(ranks, key=lambda one: -one.error)[:count])


def _run(model: Any, feeds: Collection[Mapping[str, NDArray[Any]]], folder: Path) -> list[Outputs]:
    import onnxruntime

    save_model(model, folder / "one.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    avoid(options)
    try:
        session = onnxruntime.InferenceSession(str(folder / "one.onnx"), options, providers=["CPUExecutionProvider"])
        return [session.run(None, dict(feed)) for feed in feeds]
    except Exception as error:  # its exceptions share no base of their own
        raise ModelError("a model with one layer quantised", got=first_line(error), wanted="one that runs") from None


def _error(right: Sequence[Outputs], answers: Sequence[Outputs]) -> float:
    errors = []
    for before, after in zip(right, answers, strict=True):
        for was, now in zip(before, after, strict=True):
            length = float(np.linalg.norm(was.astype(np.float64)))
            change = float(np.linalg.norm(now.astype(np.float64) - was.astype(np.float64)))
            errors.append(change / length if length else float(change > 0))
    return float(np.mean(errors))
