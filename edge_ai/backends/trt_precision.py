"""Precision where the network's own types decide it: what an ONNX model holds, and its half-precision twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_ai.backends.onnx_order import in_order, put
from edge_ai.core.errors import BackendError, ModelError

_HALF = "__fp16"


def has_qdq(model_path: Path) -> bool:
    """Whether a model carries its own quantisation (Q/DQ operators).

    Raises:
        ModelError: the file cannot be read.
        BackendError: onnx is not installed.
    """
    return any(node.op_type == "QuantizeLinear" for node in load(model_path, weights=False).graph.node)


def to_half(model_path: Path) -> bytes:
    """A model that computes in FP16 and keeps the types of its inputs and outputs, as ONNX.

    TensorRT 11 knows no FP16 flag: there the types of the tensors decide. The conversion is ONNX Runtime's, with casts
    at the ends of our own: its ``keep_io_types`` was seen to leave an FP16 output. It leaves graphs out of order, too.

    Raises:
        ModelError: the model cannot be read or converted.
        BackendError: onnx is not installed.
    """
    model = load(model_path)
    types = {value.name: value.type.tensor_type.elem_type for value in [*model.graph.input, *model.graph.output]}
    try:
        from onnxruntime.transformers.float16 import convert_float_to_float16

        half = convert_float_to_float16(model, keep_io_types=False)
    except Exception as error:  # of whatever kind: it is a script over graphs that others made
        mend = "use precision fp32, or convert the model with NVIDIA ModelOpt's AutoCast"
        raise ModelError(f"model file '{model_path}' in FP16", got=str(error), mend=mend) from error
    _restore_ends(half.graph, types)
    put(half.graph, in_order(half.graph.node))
    return bytes(half.SerializeToString())


def load(model_path: Path, *, weights: bool = True) -> Any:
    """An ONNX model.

    Raises:
        ModelError: the file cannot be read.
        BackendError: onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise BackendError("onnx is not installed", mend="pip install onnx") from None
    try:
        return onnx.load(str(model_path), load_external_data=weights)
    except Exception as error:
        mend = "check that it is a whole ONNX model, with its external data beside it"
        raise ModelError(f"model file '{model_path}'", got=str(error).splitlines()[0], mend=mend) from error


def _restore_ends(graph: Any, types: dict[str, int]) -> None:
    """Cast at the ends where the conversion has changed the type of an input or output."""
    from onnx import helper

    initial = {tensor.name for tensor in graph.initializer}
    changed = [
        value
        for value in [*graph.input, *graph.output]
        if value.name not in initial and value.type.tensor_type.elem_type != types[value.name]
    ]
    names = {value.name: value.name + _HALF for value in changed}
    inner = {value.name: value.type.tensor_type.elem_type for value in changed}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    inputs = {value.name for value in graph.input}
    for value in changed:
        name, half = value.name, names[value.name]
        if name in inputs:
            graph.node.insert(0, helper.make_node("Cast", [name], [half], name=f"{name}_to_half", to=inner[name]))
        else:
            graph.node.append(helper.make_node("Cast", [half], [name], name=f"{name}_from_half", to=types[name]))
        value.type.tensor_type.elem_type = types[name]
