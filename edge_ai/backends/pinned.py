"""Host arrays that a device reads or writes by itself, told from all others."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_ai.backends.cuda_memory import Cuda
from edge_ai.backends.tensors import Array, Shape


class PinnedArrays:
    """Makes pinned arrays and knows them again, whole or from their start, for as long as they live.

    Args:
        cuda: the device.
        mapped: whether the device is to see the same memory, which an integrated GPU does without a copy.
    """

    def __init__(self, cuda: Cuda, *, mapped: bool) -> None:
        self._cuda, self.mapped = cuda, mapped
        self._known: dict[int, tuple[int, int, Callable[[], Any]]] = {}

    def make(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A zeroed array; made with the device current.

        Raises:
            CudaError: there is not enough memory.
        """
        self._known = {address: known for address, known in self._known.items() if known[2]() is not None}
        array, pointer = self._cuda.host_array(shape, dtype, mapped=self.mapped)
        self._known[self.address(array)] = (array.nbytes, pointer, weakref.ref(_owner(array)))
        return array

    def has(self, array: Array) -> bool:
        """Whether the memory of a C-contiguous array is pinned and was made here.

        Addresses are used again after memory is freed, so who owns it must be the same, too.
        """
        known = self._known.get(self.address(array))
        return known is not None and array.nbytes <= known[0] and known[2]() is _owner(array)

    def pointer(self, array: Array) -> int:
        """Where the device sees an array that `has` knows; 0 if it is not mapped."""
        return self._known[self.address(array)][1]

    @staticmethod
    def address(array: Array) -> int:
        """Where an array's memory begins."""
        return int(array.__array_interface__["data"][0])


def _owner(thing: Any) -> Any:
    """What holds the memory: the end of the chain of bases."""
    while isinstance(thing, np.ndarray) and thing.base is not None:
        thing = thing.base
    return thing
