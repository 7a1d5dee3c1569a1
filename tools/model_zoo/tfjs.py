"""TensorFlow.js graph models to ONNX: the topology of a model.json, its weight shards, one graph.

Values are carried in TensorFlow's order of axes (NHWC). Where an ONNX operator wants channels first, `Laid` transposes
on demand and remembers it, and what works on every element stays in the order it finds: transposes are left only where
channels-last is really read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from model_zoo.errors import ConversionError
from model_zoo.graph import Array, Graph, Tensor

TYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_INT64": "int64", "DT_BOOL": "bool"}
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class Laid:
    """A value in one or both orders of its axes.

    Args:
        graph: takes the transposes.
        last: with the channels last, as TensorFlow has them; or
        first: with the channels first. One of the two.
    """

    def __init__(self, graph: Graph, last: Tensor | None = None, first: Tensor | None = None) -> None:
        self._graph, self._last, self._first = graph, last, first
        self.is_first = last is None

    @property
    def last(self) -> Tensor:
        """With the channels last."""
        if self._last is None:
            assert self._first is not None
            self._last = self._graph.add("Transpose", self._first, perm=TO_LAST)
        return self._last

    @property
    def first(self) -> Tensor:
        """With the channels first; only of four axes."""
        if self._first is None:
            assert self._last is not None
            self._first = self._graph.add("Transpose", self._last, perm=TO_FIRST)
        return self._first

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes, channels last, without a transpose being made."""
        if self._last is not None:
            return self._last.sizes()
        assert self._first is not None
        sizes = self._first.sizes()
        return tuple(sizes[axis] for axis in TO_LAST)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type."""
        tensor = self._first if self._last is None else self._last
        assert tensor is not None
        return tensor.dtype

    @property
    def value(self) -> Array | None:
        """The numbers, channels last, where they are known."""
        return None if self.is_first else self.last.value

    def known(self) -> Array:
        """The numbers.

        Raises:
            ConversionError: they depend on the picture.
        """
        if self.value is None:
            raise ConversionError(f"{self.last.name} would have to be the same for all pictures")
        return self.value


@dataclass(frozen=True)
class Op:
    """One TensorFlow operation as its converter sees it.

    Attributes:
        graph: takes the nodes.
        kind: TensorFlow's name of the operation.
        inputs: what it reads.
        attributes: as the topology has them.
    """

    graph: Graph
    kind: str
    inputs: tuple[Laid, ...]
    attributes: Mapping[str, Any]

    def integer(self, name: str) -> int:
        """An attribute that is a number; 0 where it is not written."""
        return int(self.attributes.get(name, {}).get("i", 0))

    def flag(self, name: str) -> bool:
        """An attribute that is true or false."""
        return bool(self.attributes.get(name, {}).get("b", False))

    def text(self, name: str) -> str:
        """An attribute that is a text."""
        return _text(self.attributes.get(name, {}).get("s", ""))

    def integers(self, name: str) -> list[int]:
        """An attribute that is a list of numbers."""
        return [int(number) for number in self.attributes.get(name, {}).get("list", {}).get("i", [])]

    def texts(self, name: str) -> list[str]:
        """An attribute that is a list of texts."""
        return [_text(text) for text in self.attributes.get(name, {}).get("list", {}).get("s", [])]

    def type(self, name: str) -> np.dtype[Any]:
        """An attribute that is an element type."""
        return np.dtype(TYPES[self.attributes[name]["type"]])

    def last(self, tensor: Tensor) -> Laid:
        """An answer with the channels last."""
        return Laid(self.graph, last=tensor)

    def first(self, tensor: Tensor) -> Laid:
        """An answer with the channels first."""
        return Laid(self.graph, first=tensor)


Converter = Callable[[Op], "Laid | list[Laid]"]


def convert(
    topology: bytes, weights: bytes, name: str, *, outputs: Mapping[str, str], size: tuple[int, int] | None = None
) -> onnx.ModelProto:
    """Convert a graph model.

    Args:
        topology: model.json.
        weights: its shards, one after the other.
        name: of the new graph.
        outputs: name to give to each output, by its name in the model.
        size: [width, height] of the picture, where the model leaves it open.

    Returns:
        A model of opset 17 with the one input `images`, of the type and order of axes it has in TensorFlow.

    Raises:
        ConversionError: the file is not a graph model, or an operation cannot be converted; says which.
    """
    from model_zoo.tf_ops import CONVERTERS

    try:
        document = json.loads(topology)
        nodes = document["modelTopology"]["node"]
        known = read_weights(document["weightsManifest"], weights)
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionError(f"not a TensorFlow.js graph model: {error!r}") from None
    graph = Graph()
    values: dict[str, list[Laid]] = {}
    for node in _in_order(nodes):
        if node["op"] == "Const":
            values[node["name"]] = [Laid(graph, last=graph.constant(known[node["name"]]))]
        elif node["op"] == "Placeholder":
            values[node["name"]] = [Laid(graph, last=_input(graph, node, size))]
        elif node["op"] not in CONVERTERS:
            raise ConversionError(f"{node['name']}: there is no converter for {node['op']}")
        else:
            inputs = tuple(values[owner][index] for owner, index in _inputs(node))
            try:
                answer = CONVERTERS[node["op"]](Op(graph, node["op"], inputs, node.get("attr", {})))
            except ConversionError as error:
                raise ConversionError(f"{node['name']} ({node['op']}): {error}") from None
            values[node["name"]] = answer if isinstance(answer, list) else [answer]
    return graph.model({new: values[old][0].last for old, new in outputs.items()}, name)


def read_weights(manifest: Any, content: bytes) -> dict[str, Array]:
    """The weights by name, quantised ones brought back to the type they stand for.

    Raises:
        ValueError: the shards do not hold as many bytes as the manifest says.
    """
    weights: dict[str, Array] = {}
    start = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        quantised = entry.get("quantization", {})
        stored = np.dtype(quantised.get("dtype", entry["dtype"])).newbyteorder("<")
        stop = start + int(np.prod(entry["shape"], dtype=np.int64)) * stored.itemsize
        array = np.frombuffer(content[start:stop], stored).reshape(entry["shape"])
        if "scale" in quantised:
            array = array * quantised["scale"] + quantised["min"]
        weights[entry["name"]] = array.astype(entry["dtype"])
        start = stop
    if start != len(content):
        raise ValueError(f"{len(content)} bytes of weights where {start} are announced")
    return weights


def _inputs(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for source in node.get("input", []):
        if not source.startswith("^"):  # only says what comes before
            name, _, index = source.partition(":")
            yield name, int(index or 0)


def _in_order(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Nodes, each after those it reads."""
    by_name = {node["name"]: node for node in nodes}
    done: set[str] = set()
    for node in nodes:
        waiting = [node]
        while waiting:
            missing = [by_name[name] for name, _ in _inputs(waiting[-1]) if name not in done]
            if missing and waiting[-1]["name"] not in done:
                waiting += missing
                continue
            ready = waiting.pop()
            if ready["name"] not in done:
                done.add(ready["name"])
                yield ready


def _input(graph: Graph, node: Mapping[str, Any], size: tuple[int, int] | None) -> Tensor:
    shape = [int(dim["size"]) for dim in node["attr"]["shape"]["shape"]["dim"]]
    if size is not None:
        shape[1:3] = size[::-1]
    if len(shape) != 4 or min(shape) < 1:
        raise ConversionError(f"the input's shape {shape} is open or no picture's: give its size")
    return graph.input("images", TYPES[node["attr"]["dtype"]["type"]], tuple(shape))


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
