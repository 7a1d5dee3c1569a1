"""What TensorRT's log means when a build fails: which layer, and what to try."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_ai.backends.trt_api import optional
from edge_ai.core.errors import BackendError, ModelError

if TYPE_CHECKING:
    import tensorrt as trt

_LAYER = re.compile(r"(?:node|layer|Layer|NODE)\s+[\"'\[({]?([^\s\"'\])}]+)")
_MENDS = (
    (re.compile(r"out of memory|outofmemory|insufficient memory|memory allocation|cuda failure.*memory", re.I),
     "free memory, close other programs, or lower engine_workspace; on a small board build with swap on"),
    (re.compile(r"\bDLA\b"), "set dla_core to -1, or a precision that DLA has (fp16, int8)"),
    (re.compile(r"calibrat|dynamic range|scale", re.I),
     "give engine_calibration a folder of images, or a model with Q/DQ operators: edge-ai quantize"),
    (re.compile(r"could not find any implementation|no implementation", re.I),
     "raise engine_workspace or engine_level, try precision fp32, or simplify that layer (onnxslim)"),
    (re.compile(r"workspace", re.I), "raise engine_workspace"),
    (re.compile(r"hardware compatib", re.I), "set engine_for to device"),
)  # fmt: skip
_OTHERWISE = "try precision fp32 and a lower engine_level; the whole log is shown with log_level debug"


def build_failed(model: str, errors: Sequence[str]) -> BackendError:
    """The error for a build that gave nothing.

    Args:
        model: what was built.
        errors: the lines of TensorRT's log, oldest first.
    """
    text = "; ".join(dict.fromkeys(errors)) or "TensorRT says nothing"
    layers = list(dict.fromkeys(match[1] for line in errors for match in _LAYER.finditer(line)))
    mend = next((words for sign, words in _MENDS if sign.search(text)), _OTHERWISE)
    where = f" at layer {layers[0]}" if layers else ""
    return BackendError(f"TensorRT cannot build '{model}'{where}", got=text, mend=mend)


def parse_failed(model: str, parser: trt.OnnxParser, said: str) -> ModelError:
    """The error for an ONNX file that TensorRT's parser refuses."""
    faults = [_fault(parser.get_error(i)) for i in range(parser.num_errors)]
    return ModelError(
        f"model file '{model}' cannot be read by TensorRT",
        got="; ".join(dict.fromkeys(filter(None, faults))) or said or "no reason given",
        wanted="a whole ONNX model of operators and an opset that this TensorRT knows",
        mend="export it anew with a lower opset, or run it with backend onnxruntime",
    )


def _fault(error: trt.ParserError) -> str:
    name, operator = (optional(error, part) for part in ("node_name", "node_operator"))
    if name is not None and operator is not None and (name() or operator()):
        return f"operator {operator()} ({name() or 'without a name'}): {error.desc()}"
    return f"node {error.node()}: {error.desc()}" if error.node() >= 0 else str(error.desc())
