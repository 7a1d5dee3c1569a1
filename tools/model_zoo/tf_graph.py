"""What a TensorFlow operation is converted with.

Values are carried in TensorFlow's order of axes (NHWC). Where an ONNX operator wants channels first, `Laid` transposes
on demand and remembers it, and what works on every element stays in the order it finds: transposes are left only where
channels-last is really read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError
from model_zoo.graph import Graph, Tensor

TYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_INT64": "int64", "DT_BOOL": "bool"}
Node = Mapping[str, Any]
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

    def number(self, name: str, default: float) -> float:
        """An attribute that is a number with a fraction; the default as for `flag`."""
        return float(self.attributes.get(name, {"f": default}).get("f", 0.0))

    def flag(self, name: str, default: bool = False) -> bool:
        """An attribute that is true or false; the default only where it is not written at all."""
        return bool(self.attributes.get(name, {"b": default}).get("b", False))

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


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
