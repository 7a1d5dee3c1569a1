"""INT8 variants of a float model, by ONNX Runtime's quantiser: static for every engine, dynamic for the processor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.backends.onnxrt_faults import avoid
from edge_ai.core.errors import ModelError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import load_model, save_model
from edge_ai.optimization.onnx_graph import library
from edge_ai.optimization.progress import Feeds, LayerChange, Made, Progress, silent
from edge_ai.optimization.quantization.calibration import Method, calibrate, fitting
from edge_ai.optimization.quantization.prepare import chosen, prepared, scratch
from edge_ai.optimization.quantization.qdq import insert

_FEW = 8


def quantize_static(
    source: Path,
    target: Path,
    feeds: Feeds,
    *,
    method: Method = "minmax",
    keep_float: Collection[str] = (),
    percentile: float = 99.99,
    progress: Progress = silent,
) -> Made:
    """A model whose layers (`prepare.OPERATORS`) compute in int8, with ranges found on pictures.

    It holds Q/DQ operators, symmetric (every zero point 0): ONNX Runtime runs it in int8 on x86 and ARM, TensorRT takes
    it as explicitly quantised. Why it is made as it is: `qdq`.

    Args:
        source: ONNX file of the float32 model.
        target: where the variant is written, whole or not at all.
        feeds: pictures like those the robot will see; 32 are plenty, one is held in memory at a time.
        method: how the ranges are found, see `calibrate`.
        keep_float: names of operators to leave as they are.
        percentile: share of an activation's values that its range holds, in percent, for "percentile".
        progress: told of every step; it may raise to interrupt.

    Raises:
        ModelError: the model is no good, quantised already or has nothing to quantise; or the disk is full.
        ParameterError: a name to keep is of no layer.
        EdgeAIError: no pictures come, or they do not fit the model; a library is missing or too old.
        InferenceError: the model fails on a picture, or answers NaN.
    """
    with scratch() as folder:
        model = prepared(Path(source), folder, progress)
        found = chosen(model, keep_float, Path(source))
        ranges, pictures = calibrate(model, feeds, folder, method=method, percentile=percentile, progress=progress)
        progress("quantising", 0, 1)
        made = insert(model, ranges, found)
        first = next(fitting(model, feeds))
        _check(made, model, folder, first)
        progress("quantising", 1, 1)
        save_model(made, target)
    notes = [f"INT8 weights and activations of {len(found)} layers; ranges by {method} over {pictures} pictures."]
    if pictures < _FEW:
        notes.append(f"Only {pictures} pictures for calibration: give 32 or so, of all the places and light to come.")
    return Made(Path(target), tuple(notes), _changes(found))


def quantize_dynamic(
    source: Path, target: Path, *, keep_float: Collection[str] = (), progress: Progress = silent
) -> Made:
    """A model with int8 weights whose activations are quantised as it runs: without pictures, for the processor alone.

    Args:
        source: ONNX file of the float32 model.
        target: where the variant is written, whole or not at all.
        keep_float: names of operators to leave as they are.
        progress: told of every step; it may raise to interrupt.

    Raises:
        ModelError: the model is no good, quantised already or has nothing to quantise; or the disk is full.
        ParameterError: a name to keep is of no layer.
    """
    from onnxruntime import quantization

    with scratch() as folder:
        model = prepared(Path(source), folder, progress)
        found = chosen(model, keep_float, Path(source))
        convolutions = sum(node.op_type == "Conv" for node in found.values())
        progress("quantising", 0, 1)
        quantization.quant_utils.add_pre_process_metadata(model)  # else it advises to prepare the model
        save_model(model, folder / "plain.onnx")
        kind = quantization.QuantType.QUInt8 if convolutions else quantization.QuantType.QInt8
        quantization.quantize_dynamic(
            folder / "plain.onnx",
            folder / "made.onnx",
            op_types_to_quantize=sorted({node.op_type for node in found.values()}),
            nodes_to_quantize=list(found),
            per_channel=True,
            reduce_range=True,
            weight_type=kind,  # int8 weights made ConvInteger 3.5 times slower than uint8 ones
        )
        made = load_model(folder / "made.onnx")
        _check(made, model, folder, None)
        progress("quantising", 1, 1)
        save_model(made, target)
    notes = ["Runs on the processor only: TensorRT does not know ConvInteger and MatMulInteger."]
    if convolutions:
        notes.append(
            f"{convolutions} of its {len(found)} layers are convolutions, which ONNX Runtime computes slower so than "
            "in float: static INT8 is the faster one."
        )
    return Made(Path(target), tuple(notes), _changes(found))


def _changes(found: Mapping[str, Any]) -> tuple[LayerChange, ...]:
    return tuple(LayerChange(name, node.op_type, "float32", "int8") for name, node in found.items())


def _check(made: Any, model: Any, folder: Path, feed: Mapping[str, NDArray[Any]] | None) -> None:
    """That ONNX Runtime takes what was made, that it has the ends of the original, and answers numbers."""
    import onnxruntime

    save_model(made, folder / "checked.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    avoid(options)
    what = "the quantised model"
    mend = "leave layers in float, or use precision fp16"
    for was, now in zip(
        (*model.graph.input, *model.graph.output), (*made.graph.input, *made.graph.output), strict=True
    ):
        if (was.name, was.type.tensor_type.elem_type) != (now.name, now.type.tensor_type.elem_type):
            raise ModelError(what, got=f"'{now.name}' at its end", wanted=f"'{was.name}' of the same type", mend=mend)
    try:
        library().checker.check_model(str(folder / "checked.onnx"))
        session = onnxruntime.InferenceSession(
            str(folder / "checked.onnx"), options, providers=["CPUExecutionProvider"]
        )
        outputs = session.run(None, dict(feed)) if feed is not None else []
    except Exception as error:  # its exceptions share no base of their own
        raise ModelError(what, got=first_line(error), wanted="one that runs", mend=mend) from None
    if any(np.isnan(output).any() for output in outputs if output.dtype.kind == "f"):
        raise ModelError(what, got="NaN in its answer", wanted="numbers", mend=mend)
