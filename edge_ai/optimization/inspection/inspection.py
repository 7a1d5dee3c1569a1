"""What an ONNX model is, what it costs, and who takes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai.core.errors import ModelError
from edge_ai.optimization.inspection import activations
from edge_ai.optimization.inspection.flops import close_shapes, count
from edge_ai.optimization.inspection.support import Support, of_onnx_runtime, of_tensorrt
from edge_ai.optimization.onnx_checks import check_external, first_line
from edge_ai.optimization.onnx_graph import inputs, library, nodes, tensors

_DTYPES = {"FLOAT": "float32", "DOUBLE": "float64"}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        name: of the tensor.
        dtype: numpy's name of its type.
        shape: its dimensions; an open one is its name, or "?".
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of a model without running it.

    Attributes:
        path: its ONNX file.
        bytes: the file's size.
        ir: version of the file format.
        opsets: version of the operators by domain; "" are the standard ones.
        producer: the program that wrote it, as far as it says.
        inputs, outputs: what it takes and gives.
        operators: how many of each type there are, most first; also inside loops and branches.
        parameters: numbers in weights and constants.
        weight_bytes: what those take.
        size: (width, height) that the following are for; None: its shapes could not be inferred.
        flops: operations of an inference, a multiply-accumulate counting 2; None: not known.
        peak_activation_bytes: an estimate of the most memory between operators; None: not known.
        support: what engines say.
        notes: what could not be found out, and what to know about the rest.
    """

    path: Path
    bytes: int
    ir: int
    opsets: Mapping[str, int]
    producer: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: Mapping[str, int]
    parameters: int
    weight_bytes: int
    size: tuple[int, int] | None
    flops: int | None
    peak_activation_bytes: int | None
    support: tuple[Support, ...]
    notes: tuple[str, ...]


def inspect(path: Path | str, size: tuple[int, int] | None = None) -> Inspection:
    """Look into a model.

    Args:
        path: an ONNX file, or a model card (.yaml, .yml).
        size: (width, height) of the image where the model leaves it open; a card knows it.

    Raises:
        CardError: the card is wrong.
        ModelError: no such file, not an ONNX model, cut off, or its weights are not there.
        EdgeAIError: `onnx` is not installed.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".yml"):
        from edge_ai.processing.card import ModelCard

        card = ModelCard.load(path)
        path, size = card.model_path, size or card.input.size
    model = _read(path)
    weights = [tensor for tensor in tensors(model) if tensor.data_type]
    ports = [tuple(map(_port, side)) for side in (inputs(model), model.graph.output)]
    image, flops, peak, notes = _cost(path, model, size)
    return Inspection(
        path=path,
        bytes=path.stat().st_size,
        ir=int(model.ir_version),
        opsets={entry.domain: int(entry.version) for entry in model.opset_import},
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        inputs=ports[0],
        outputs=ports[1],
        operators=dict(Counter(_operator(node) for node in nodes(model.graph)).most_common()),
        parameters=sum(math.prod(tensor.dims) for tensor in weights),
        weight_bytes=sum(activations.size(activations.kind_of(t.data_type), tuple(t.dims)) for t in weights),
        size=image,
        flops=flops,
        peak_activation_bytes=peak,
        support=(of_onnx_runtime(path), of_tensorrt(path, model)),
        notes=tuple(notes),
    )


def _read(path: Path) -> Any:
    """The model, its external weights left where they are."""
    onnx, what = library(), f"model '{path}'"
    try:
        model = onnx.load(str(path), load_external_data=False) if path.stat().st_size else None
    except OSError as error:
        raise ModelError(what, got=error.strerror, wanted="a readable file", mend="check its path") from None
    except Exception as error:  # protobuf raises its own kinds, which differ by its release
        mend = "copy it again (it may have been cut off), or export it again"
        raise ModelError(what, got=first_line(error), wanted="a whole ONNX model", mend=mend) from None
    if model is None or not model.graph.node or not model.opset_import:
        got = "an empty file" if model is None else "a file without a graph of operators"
        raise ModelError(what, got=got, wanted="an ONNX model", mend="copy or export it again")
    check_external(model, path.parent, what)
    return model


def _cost(
    path: Path, model: Any, size: tuple[int, int] | None
) -> tuple[tuple[int, int] | None, int | None, int | None, list[str]]:
    """Size of the image, operations, peak of activations, and notes."""
    notes = []
    try:
        image = close_shapes(model.graph, size, path)
        inferred = library().shape_inference.infer_shapes(model, data_prop=True)
    except ModelError as error:
        return None, None, None, [f"cost not known: {error}"]
    except Exception as error:  # protobuf and shape inference raise kinds that differ by release
        return None, None, None, [f"cost not known: shapes that contradict each other: {first_line(error)}"]
    peak, unknown = activations.peak(inferred.graph)
    if unknown:
        notes.append(f"{unknown} tensors have no known shape: the peak of activations is at least what is given")
    try:
        cost = count(path, size)
    except ModelError as error:
        return image, None, peak, [*notes, f"operations not known: {error}"]
    if cost.left_out:
        some = ", ".join(cost.left_out[:5])
        more = f" and {len(cost.left_out) - 5} more" if len(cost.left_out) > 5 else ""
        notes.append(f"operations of {some}{more} are not counted")
    return image, cost.flops, peak, notes


def _port(value: Any) -> Port:
    tensor = value.type.tensor_type
    shape = tuple(
        int(dim.dim_value) if dim.HasField("dim_value") else str(dim.dim_param or "?") for dim in tensor.shape.dim
    )
    kind = activations.kind_of(tensor.elem_type)
    return Port(value.name, _DTYPES.get(kind, kind.lower()), shape)


def _operator(node: Any) -> str:
    return f"{node.domain}:{node.op_type}" if node.domain not in ("", "ai.onnx") else str(node.op_type)
