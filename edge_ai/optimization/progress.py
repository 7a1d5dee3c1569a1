"""What everything that makes a variant of a model takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many of its steps are done, and how many there are; 0: unknown."""

Feeds = Callable[[], Iterator[Mapping[str, NDArray[Any]]]]
"""Each call starts anew: for one picture after the other an array, first axis 1, by input name."""


def silent(_what: str, _done: int, _total: int) -> None:
    """A `Progress` that nobody sees."""


@dataclass(frozen=True, slots=True)
class LayerChange:
    """What became of one operator of a model.

    Attributes:
        name: of the operator, else of its first output.
        operator: its type, such as "Conv".
        before: what it was: "float32", "64 channels".
        after: what it is.
    """

    name: str
    operator: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Made:
    """A variant of a model.

    Attributes:
        path: its ONNX file.
        notes: what whoever ships it should know, a sentence each.
        layers: what became of its operators; those that stayed as they were may be left out.
        size: width and height of the picture it takes; None: as the original.
    """

    path: Path
    notes: tuple[str, ...] = ()
    layers: tuple[LayerChange, ...] = ()
    size: tuple[int, int] | None = None
