"""Reading the tensors of a PyTorch checkpoint without PyTorch and without running what the file says.

The format of torch.save before PyTorch 1.6: four pickles (a magic number, the protocol, the writer's machine, the
object with its tensors as references to storages), a pickled list of storage keys, then each storage: how many numbers
as int64, and the numbers.
"""

from __future__ import annotations

import collections
import io
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_zoo.arrays import Array
from model_zoo.errors import ConversionError

MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Reference:
    """A tensor as the pickle describes it: a view of a storage that comes later in the file."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read_tensors(content: bytes) -> dict[str, Array]:
    """The tensors of a checkpoint that is a mapping from names to tensors.

    Raises:
        ConversionError: another format, cut short, or naming code beyond what rebuilds tensors.
    """
    stream = io.BytesIO(content)
    try:
        magic, _protocol, _machine, entries, keys = (_Pickle(stream).load() for _ in range(5))
        if magic != MAGIC:
            raise ConversionError("not a PyTorch checkpoint of the old format")
        if not isinstance(entries, dict) or not all(isinstance(entry, _Reference) for entry in entries.values()):
            raise ConversionError("it holds more than tensors by name")
        dtypes = {entry.storage.key: entry.storage.dtype for entry in entries.values()}
        storages = {key: _numbers(stream, dtypes[key]) for key in keys}
        return {name: _view(entry, storages[entry.storage.key]) for name, entry in entries.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, ValueError, TypeError) as error:
        raise ConversionError(f"damaged or of another format: {error}") from None


class _Pickle(pickle.Unpickler):
    """Knows nothing but what a mapping of tensors needs."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _reference
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        raise ConversionError(f"it wants to load {module}.{name}, which no tensor needs")

    def persistent_load(self, description: Any) -> _Storage:
        kind, dtype, key, _device, _count, view = description
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"unknown reference {kind!r}")
        return _Storage(key, dtype)


def _reference(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> _Reference:
    return _Reference(storage, offset, size, stride)


def _numbers(stream: io.BytesIO, dtype: np.dtype[Any]) -> Array:
    count = int(np.frombuffer(stream.read(8), "<i8")[0])
    numbers = np.frombuffer(stream.read(count * dtype.itemsize), dtype)
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers where {count} are announced")
    return numbers


def _view(entry: _Reference, storage: Array) -> Array:
    last = entry.offset + sum((size - 1) * step for size, step in zip(entry.size, entry.stride, strict=True))
    if min((entry.offset, *entry.size, *entry.stride)) < 0 or (0 not in entry.size and last >= len(storage)):
        raise ValueError("a tensor reaches beyond its storage")
    steps = [step * storage.itemsize for step in entry.stride]
    return np.lib.stride_tricks.as_strided(storage[entry.offset :], entry.size, steps).copy()
