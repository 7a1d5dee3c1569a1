"""FP16 variants of a float model: half the size, and for GPUs and processors that compute in it faster."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from edge_ai.backends import trt_precision
from edge_ai.backends.onnx_order import in_order, put
from edge_ai.core.errors import ModelError, ParameterError
from edge_ai.optimization.onnx_checks import first_line
from edge_ai.optimization.onnx_file import load_model, save_model
from edge_ai.optimization.onnx_graph import library
from edge_ai.optimization.progress import LayerChange, Made, Progress, silent
from edge_ai.optimization.quantization.prepare import check_float, scratch

_HALF_RANGE = 65504.0
_BESIDE = "__fp32"


def to_half(source: Path, target: Path, *, keep_float: Collection[str] = (), progress: Progress = silent) -> Made:
    """A model that computes in FP16 and takes and gives the types of the original.

    The conversion is the one that TensorRT 11's engines are built from, `trt_precision.to_half`.

    Args:
        source: ONNX file of the float32 model.
        target: where the variant is written, whole or not at all.
        keep_float: names of operators to leave in FP32, with casts around them.
        progress: told of every step; it may raise to interrupt.

    Raises:
        ModelError: the model is no good, quantised or in FP16 already, or cannot be converted; or the disk is full.
        ParameterError: a name to keep is of no operator.
    """
    source, target = Path(source), Path(target)
    onnx = library()
    progress("converting to FP16", 0, 1)
    model = load_model(source)
    check_float(model, source)
    kept = frozenset(keep_float)
    strange = sorted(kept - {node.name for node in model.graph.node})
    if strange:
        raise ParameterError(f"layers to keep in float of '{source}'", got=strange[0], wanted="names of operators")
    with scratch() as folder:
        save_model(model, folder / "float.onnx")
        try:
            half = onnx.ModelProto.FromString(trt_precision.to_half(folder / "float.onnx"))
        except ModelError as error:
            raise ModelError(f"model '{source}' in FP16", got=error.got, mend="use INT8, or the float model") from None
        if kept:
            _restore(half, model, kept)
        put(half.graph, in_order(half.graph.node))
        notes = _check(half, model, folder)
        progress("converting to FP16", 1, 1)
        save_model(half, target)
    notes += _overflows(model)
    return Made(target, tuple(notes), _changes(model, kept))


def _changes(model: Any, kept: Collection[str]) -> tuple[LayerChange, ...]:
    weights = {tensor.name for tensor in model.graph.initializer}
    heavy = [node for node in model.graph.node if node.name not in kept and not weights.isdisjoint(node.input)]
    return tuple(LayerChange(node.name, node.op_type, "float32", "float16") for node in heavy)


def _overflows(model: Any) -> list[str]:
    onnx = library()
    large = [
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
        and abs(onnx.numpy_helper.to_array(tensor)).max(initial=0.0) > _HALF_RANGE
    ]
    return [f"Weights beyond FP16's range were cut to it: {', '.join(large)}."] if large else []


def _restore(half_model: Any, model: Any, kept: Collection[str]) -> None:
    """Put operators back into FP32: their weights as they were, casts where they take and give activations."""
    onnx = library()
    graph = half_model.graph
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    floats = {name for name, tensor in weights.items() if tensor.data_type == single} | _named(model, single)
    before = {node.name: node for node in model.graph.node}
    added: dict[str, Any] = {}
    ordered = []
    in_half = _named(half_model, half)
    for node in graph.node:
        if node.name not in kept or in_half.isdisjoint(node.output):  # the conversion itself leaves some as they were
            ordered.append(node)
            continue
        after = []
        original = before[node.name]
        for index, name in enumerate(original.input):
            if name not in floats:
                continue
            if name in weights:
                node.input[index] = name + _BESIDE
                added[name] = weights[name]
            else:
                cast = f"{node.name}_{index}{_BESIDE}"
                ordered.append(onnx.helper.make_node("Cast", [node.input[index]], [cast], name=cast, to=single))
                node.input[index] = cast
        for index, name in enumerate(original.output):
            if name in floats:
                given, node.output[index] = node.output[index], name + _BESIDE
                after.append(
                    onnx.helper.make_node("Cast", [name + _BESIDE], [given], name=f"{name}{_BESIDE}_half", to=half)
                )
        ordered += [node, *after]
    put(graph, ordered)
    for name, tensor in added.items():
        copy = graph.initializer.add()
        copy.CopyFrom(tensor)
        copy.name = name + _BESIDE


def _named(model: Any, kind: int) -> set[str]:
    """Names of the activations of a type."""
    inferred = library().shape_inference.infer_shapes(model).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    return {value.name for value in values if value.type.tensor_type.elem_type == kind}


def _check(half: Any, model: Any, folder: Path) -> list[str]:
    """That it is valid, has the original's ends, and loads. At ONNX Runtime's last optimisation it need not.

    Returns:
        A note, where that one breaks it (it does on aarch64, for some models).
    """
    import onnxruntime

    onnx = library()
    what, mend = "the model in FP16", "leave layers in float, or use INT8"
    ends = [(value.name, value.type.tensor_type.elem_type) for value in (*model.graph.input, *model.graph.output)]
    made = [(value.name, value.type.tensor_type.elem_type) for value in (*half.graph.input, *half.graph.output)]
    if ends != made:
        raise ModelError(what, got=f"inputs and outputs {made}", wanted=f"{ends}", mend=mend)
    save_model(half, folder / "half.onnx")
    levels = onnxruntime.GraphOptimizationLevel
    notes = []
    for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_BASIC, levels.ORT_ENABLE_EXTENDED, levels.ORT_ENABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.log_severity_level = level, 4
        try:
            if level == levels.ORT_DISABLE_ALL:
                onnx.checker.check_model(str(folder / "half.onnx"))
            onnxruntime.InferenceSession(str(folder / "half.onnx"), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base of their own
            if level != levels.ORT_ENABLE_ALL:
                raise ModelError(what, got=first_line(error), wanted="one that loads", mend=mend) from None
            notes.append("ONNX Runtime's last optimisation breaks it on this processor: use the one before it.")
    return notes
