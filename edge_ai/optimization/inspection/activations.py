"""How much memory the numbers between a model's operators take at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

_BITS = {"FLOAT": 32, "DOUBLE": 64, "BOOL": 8, "STRING": 64, "COMPLEX64": 64, "COMPLEX128": 128}


def peak(graph: Any) -> tuple[int, int]:
    """The most bytes that tensors which are still needed take at any operator, and how many have no known shape.

    An estimate: operators run in their order in the file, each writes new memory, and a tensor goes when its last
    reader is done. Engines work in place and fuse operators, which takes less, and scratch memory, which takes more.

    Args:
        graph: an ONNX graph with inferred shapes.
    """
    sizes, weights = dict(_sizes(graph)), {tensor.name for tensor in graph.initializer}
    last = _last_uses(graph)
    live = {value.name for value in graph.input if value.name not in weights}
    now = most = sum(sizes.get(name, 0) for name in live)
    unknown = len(live - set(sizes))
    for i, node in enumerate(graph.node):
        written = {name for name in node.output if name} if node.op_type != "Constant" else set()
        unknown += len(written - set(sizes))
        live |= written
        now += sum(sizes.get(name, 0) for name in written)
        most = max(most, now)
        done = {name for name in live & (_names(node) | written) if last.get(name, i) <= i}
        live -= done
        now -= sum(sizes.get(name, 0) for name in done)
    return most, unknown


def bits(kind: str) -> int:
    """Of a number of an ONNX type: "FLOAT16", "INT4", "FLOAT8E4M3FN"."""
    digits = re.match(r"[A-Z]+?(\d+)", kind)
    return _BITS.get(kind) or (int(digits[1]) if digits else 32)


def size(kind: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor."""
    return math.ceil(math.prod(shape) * bits(kind) / 8)


def kind_of(number: int) -> str:
    """The name of an ONNX type by its number."""
    from onnx import TensorProto

    return str(TensorProto.DataType.Name(number))


def _sizes(graph: Any) -> Iterator[tuple[str, int]]:
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            yield value.name, size(kind_of(tensor.elem_type), tuple(dim.dim_value for dim in tensor.shape.dim))


def _last_uses(graph: Any) -> dict[str, int]:
    """The number of the last operator that reads a tensor; one beyond the last for the outputs."""
    last = {name: i for i, node in enumerate(graph.node) for name in _names(node)}
    return last | {value.name: len(graph.node) for value in graph.output}


def _names(node: Any) -> set[str]:
    """What an operator reads, with what loops and branches inside it do."""
    names = set(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                names |= _names(inner)
            names |= {value.name for value in graph.output}
    return names
