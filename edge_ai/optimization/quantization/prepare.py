"""A float model made ready to be quantised: folded, fused, with its shapes written into it."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError, ModelError, ParameterError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import check_shapes, load_model, save_model
from edge_ai.optimization.onnx_graph import library, nodes, opset
from edge_ai.optimization.progress import Progress

OPERATORS = ("Conv", "MatMul", "Gemm")
"""What is quantised: nearly all of the work and the weights. Making the int8 flow on through LeakyRelu, Concat, Add and
Resize gained no speed on NanoDet-g (1.75 against 1.79 times) and doubled the error. ConvTranspose has no int8 kernel in
ONNX Runtime; a MatMul of two activations loses more than it gains."""

_PER_CHANNEL_OPSET = 13
_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")
_RENAMING = ("MatMulAddFusion",)
"""Optimisers of ONNX Runtime that give operators other names; they are kept for when the model is run."""


def prepared(source: Path, folder: Path, progress: Progress) -> Any:
    """The float model as it is to be quantised; operators that were not fused away keep their names.

    Args:
        source: its ONNX file.
        folder: for files that ONNX Runtime needs on the way.
        progress: told once before and once after.

    Raises:
        ModelError: it cannot be loaded, is quantised or in half precision already, leaves dimensions open, or cannot be
            brought to opset 13.
        EdgeAIError: onnx or onnxruntime is missing or too old.
    """
    progress("preparing the model", 0, 1)
    model = load_model(source)
    check_shapes(model)
    check_float(model, source)
    onnx = library()
    if opset(model) < _PER_CHANNEL_OPSET:
        from onnx import version_converter

        try:
            model = version_converter.convert_version(model, _PER_CHANNEL_OPSET)
        except Exception as error:  # RuntimeError and others, by converter
            got, mend = f"opset {opset(model)} ({first_line(error)})", "export it again with opset 13 or newer"
            raise ModelError(f"model '{source}'", got=got, wanted="opset 13 or newer", mend=mend) from None
    model = onnx.shape_inference.infer_shapes(_optimised(model, folder))
    progress("preparing the model", 1, 1)
    return model


def check_float(model: Any, source: Path) -> None:
    """That a model computes in float32.

    Raises:
        ModelError: it is quantised or in half precision.
    """
    mend = "start from the float32 model that it was made of"
    for node in nodes(model.graph):
        if node.op_type in _QUANTISED or node.op_type.startswith("QLinear"):
            got = f"one that is quantised already ({node.op_type} '{node.name}')"
            raise ModelError(f"model '{source}'", got=got, wanted="a float32 model", mend=mend)
    for tensor in model.graph.initializer:
        if tensor.data_type in (library().TensorProto.FLOAT16, library().TensorProto.BFLOAT16):
            got = f"weights in half precision ('{tensor.name}')"
            raise ModelError(f"model '{source}'", got=got, wanted="a float32 model", mend=mend)


def layers(model: Any) -> dict[str, Any]:
    """The operators of a prepared model that can be quantised, by name: those of `OPERATORS` with constant weights."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return {node.name: node for node in model.graph.node if node.op_type in OPERATORS and node.input[1] in weights}


def chosen(model: Any, keep_float: Collection[str], source: Path) -> dict[str, Any]:
    """The layers to quantise.

    Raises:
        ParameterError: a name to keep is of no layer.
        ModelError: there is nothing to quantise.
    """
    known = layers(model)
    strange = sorted(frozenset(keep_float) - frozenset(known))
    if strange and known:
        wanted = f"names of operators, such as {', '.join(list(known)[:3])}"
        mend = "edge-ai quantize lists the names in report.json, netron shows them"
        raise ParameterError(f"layers to keep in float of '{source}'", got=strange[0], wanted=wanted, mend=mend)
    found = {name: node for name, node in known.items() if name not in frozenset(keep_float)}
    if not found:
        got = "none" if not known else "all of them to be kept in float"
        wanted = f"one of {', '.join(OPERATORS)} with constant weights at least"
        raise ModelError(f"operators of '{source}' to quantise", got=got, wanted=wanted, mend="use precision fp16")
    return found


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for files on the way, gone afterwards.

    Raises:
        ModelError: the disk it is on became full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edge_ai_") as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        mend = "make room there, or name another folder in TMPDIR"
        raise ModelError(f"files on the way in '{tempfile.gettempdir()}'", got="disk full", mend=mend) from None


def _optimised(model: Any, folder: Path) -> Any:
    """Constants folded and BatchNormalization fused, by ONNX Runtime's basic optimisers."""
    import onnxruntime

    source, target = folder / "float.onnx", folder / "prepared.onnx"
    save_model(model, source)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(
            str(source), options, providers=["CPUExecutionProvider"], disabled_optimizers=list(_RENAMING)
        )
    except Exception as error:  # its exceptions share no base of their own
        raise EdgeAIError("preparing the model", got=first_line(error), mend="export it again") from None
    return library().load(str(target))
