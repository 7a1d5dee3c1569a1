"""Which operators of an ONNX model an engine refuses: asked of the engine where it is installed, else from a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_ai.backends import trt_api
from edge_ai.optimization.inspection.tensorrt_operators import SOURCE, refusal
from edge_ai.optimization.onnx_checks import runtime_error
from edge_ai.optimization.onnx_graph import nodes

_OF_ONNX_RUNTIME = (
    r"implementation for (?P<operator>\w+)\(-?\d+\) node with name '(?P<node>[^']*)'",
    r"No [Oo]p registered for (?P<operator>\w+)",
    r"(?P<operator>[\w.:]+)\(-?\d+\) is not a registered function/op",
)


@dataclass(frozen=True, slots=True)
class Refused:
    """An operator that an engine does not take.

    Attributes:
        operator: its type.
        why: in the engine's words or the table's.
        nodes: the operators of the model it concerns; empty where the engine does not say.
    """

    operator: str
    why: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Support:
    """Whether an engine takes a model.

    Attributes:
        engine: its name, with its version where it was asked.
        asked: how this is known.
        takes: whether it takes the whole model; None where nobody could be asked.
        refused: what it does not take. ONNX Runtime names the first only.
    """

    engine: str
    asked: str
    takes: bool | None
    refused: tuple[Refused, ...] = ()


def of_onnx_runtime(path: Path) -> Support:
    """Have ONNX Runtime load the model for the processor."""
    try:
        import onnxruntime
    except ImportError:
        return Support("ONNX Runtime", "not installed: python3 -m pip install onnxruntime", None)
    engine, asked = f"ONNX Runtime {onnxruntime.__version__}", "its session on the processor"
    if (error := runtime_error(path)) is not None:
        return Support(engine, asked, False, (_refused(" ".join(str(error).split())),))
    return Support(engine, asked, True)


def of_tensorrt(path: Path, model: Any) -> Support:
    """Have TensorRT's parser read the model where it is installed and has a GPU, else look in the table."""
    reason = trt_api.unfit()
    if not reason:
        try:
            return _parsed(path)
        except Exception as error:  # without a driver or GPU its classes raise what their binding happens to
            reason = f"without a parser here ({type(error).__name__} {error})"
    return _from_table(model, reason)


def _parsed(path: Path) -> Support:
    module = trt_api.load()
    said = trt_api.Log(module)
    builder = module.Builder(said.logger)
    explicit = trt_api.optional(module.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH")
    network = builder.create_network(0 if explicit is None else 1 << int(explicit))
    parser = module.OnnxParser(network, said.logger)
    takes = bool(parser.parse_from_file(str(path)))
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    found = [(_word(error, "node_operator"), error.desc(), _word(error, "node_name")) for error in errors]
    if not takes and not found:
        found = [("", said.last or "it does not say why", "")]
    return Support(f"TensorRT {module.__version__}", "its parser", takes, _gathered(found))


def _from_table(model: Any, reason: str) -> Support:
    inner = list(nodes(model.graph))
    constants: dict[str, Any] = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in inner:
        if node.op_type == "Constant":
            constants[node.output[0]] = next((a.t for a in node.attribute if a.name == "value"), None)
    found = _gathered(_looked_up(inner, constants))
    return Support("TensorRT", f"the {SOURCE}; itself it is {reason.partition(':')[0]}", not found, found)


def _looked_up(inner: Iterable[Any], constants: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for node in inner:
        if why := refusal(node, constants):
            yield node.op_type, why, node.name or (node.output[0] if node.output else "?")


def _gathered(found: Iterable[tuple[str, str, str]]) -> tuple[Refused, ...]:
    """One entry for each operator and reason, with all its nodes."""
    groups: dict[tuple[str, str], list[str]] = {}
    for operator, why, node in found:
        groups.setdefault((operator, why), []).append(node)
    return tuple(Refused(operator, why, tuple(filter(None, names))) for (operator, why), names in groups.items())


def _refused(words: str) -> Refused:
    for pattern in _OF_ONNX_RUNTIME:
        if found := re.search(pattern, words):
            node = found.groupdict().get("node")
            return Refused(found["operator"].rpartition(":")[2], words, (node,) if node else ())
    return Refused("", words)


def _word(error: Any, name: str) -> str:
    """What an error of the parser says by a method that not every version has."""
    method = trt_api.optional(error, name)
    return str(method()) if method is not None else ""
