"""What goes into a model and what comes out: names, dtypes and shapes, and whether an array agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import BackendError

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: its name in the model.
        dtype: its element type.
        shape: its dimensions; None where the model takes any size.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    @property
    def static(self) -> bool:
        """Whether every dimension is fixed."""
        return None not in self.shape

    def fits(self, shape: Shape) -> bool:
        """Whether a tensor of this shape may stand here."""
        return len(shape) == len(self.shape) and all(w in (None, g) for w, g in zip(self.shape, shape, strict=True))

    def __str__(self) -> str:
        return f"{self.dtype} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"


def check_feeds(feeds: Mapping[str, object], inputs: Mapping[str, TensorSpec]) -> None:
    """Check that there is an array for every input, of its dtype and shape.

    Raises:
        BackendError: a name, type, dtype or shape is wrong.
    """
    if set(feeds) != set(inputs):
        raise BackendError("inputs of the model", got=_names(feeds), wanted=_names(inputs))
    for name, spec in inputs.items():
        _check_tensor(spec, feeds[name])


def _names(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"


def _check_tensor(spec: TensorSpec, array: object) -> None:
    if not isinstance(array, np.ndarray):
        raise BackendError(f"input {spec.name!r}", got=type(array).__name__, wanted=f"a numpy array, {spec}")
    if array.dtype != spec.dtype or not spec.fits(array.shape) or array.size == 0:
        raise BackendError(f"input {spec.name!r}", got=f"{array.dtype} {list(array.shape)}", wanted=spec)
