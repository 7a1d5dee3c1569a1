"""Which channels can only be removed together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Axis = IntArray | None
"""The slot of each index along an axis of a tensor; None: all of it stays."""
Axes = tuple[Axis, ...]
"""Those of a tensor."""

STAYS = 0
"""The slot of all that cannot be removed."""


class Slots:
    """Numbered slots in disjoint sets. A slot is a channel where it comes into being; those of a set go together."""

    def __init__(self) -> None:
        self._parents = [STAYS]
        self._table: IntArray | None = None

    def new(self, count: int) -> Axis:
        """Slots for an axis; a single index is never removed."""
        if count <= 1:
            return None
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        self._table = None
        return np.arange(first, first + count, dtype=np.int64)

    def join(self, *axes: Axis) -> Axis:
        """Axes of one length whose indices go together; what they are from now on."""
        known = [axis for axis in axes if axis is not None]
        if len(known) < len(axes) or not known:
            self.pin(*known)
            return None
        for other in known[1:]:
            if other is not known[0]:
                for a, b in zip(known[0].tolist(), other.tolist(), strict=True):
                    self._unite(a, b)
        return known[0]

    def join_rows(self, table: IntArray) -> Axis:
        """Every row of a table goes together with the first one, column by column; that one."""
        return self.join(*table)

    def pin(self, *axes: Axis) -> None:
        """Nothing along these axes is removed."""
        for axis in axes:
            for slot in () if axis is None else set(axis.tolist()):
                self._unite(STAYS, slot)

    def roots(self, axis: IntArray) -> IntArray:
        """One slot for all of a set, of each index: equal where indices go together, `STAYS` where they stay."""
        if self._table is None:
            table = np.array(self._parents, np.int64)
            while (table != table[table]).any():
                table = table[table]
            self._table = table
        return np.asarray(self._table[axis], np.int64)

    def _root(self, slot: int) -> int:
        parents = self._parents
        while parents[slot] != slot:
            parents[slot] = parents[parents[slot]]
            slot = parents[slot]
        return slot

    def _unite(self, a: int, b: int) -> None:
        a, b = self._root(a), self._root(b)
        self._parents[max(a, b)] = min(a, b)  # so that STAYS is always a root
        self._table = None
