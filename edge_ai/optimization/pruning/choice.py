"""Which channels go."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from edge_ai.optimization.progress import Progress, silent
from edge_ai.optimization.pruning.analysis import Analysis
from edge_ai.optimization.pruning.slots import STAYS, IntArray

LEAST = 2
"""Channels that every axis keeps: one of length 1 would be stretched by broadcasting or dropped by a Squeeze."""


class Ranking(Protocol):
    """Says what is lost with each channel."""

    def costs(self, members: Collection[int]) -> Mapping[int, float]:
        """What each of some sets of channels costs now; one that is missing stays."""

    def remove(self, member: int) -> None:
        """A set is gone; what others cost may have changed."""


def groups(analysis: Analysis) -> list[tuple[int, ...]]:
    """Channels that are compared with each other because some layer makes them side by side.

    Returns:
        For each group, a slot for each set of channels that go together.
    """
    group_of: dict[int, int] = {}
    members: dict[int, set[int]] = {}
    for number, layer in enumerate(analysis.layers):
        axis = analysis.of(layer.weight)[layer.out_axis]
        if axis is None or layer.in_axis is None:
            continue
        merged = set(analysis.slots.roots(axis).tolist()) - {STAYS}
        for other in {group_of[root] for root in merged if root in group_of}:
            merged |= members.pop(other)
        if merged:
            members[number] = merged
            group_of.update(dict.fromkeys(merged, number))
    return [tuple(sorted(found)) for _, found in sorted(members.items())]


class Floors:
    """How many channels of each axis may still go, so that no layer is emptied.

    Args:
        axes: every axis of which something may go.
        amount: the part of all channels that is to go; no axis is left with less than half of what stays on average.
    """

    def __init__(self, axes: Sequence[IntArray], amount: float) -> None:
        self._spare: list[int] = []
        self._uses: dict[int, list[tuple[int, int]]] = {}
        for number, axis in enumerate(axes):
            self._spare.append(len(axis) - max(LEAST, math.ceil(len(axis) * (1 - amount) / 2)))
            names, counts = np.unique(axis, return_counts=True)
            for name, count in zip(names.tolist(), counts.tolist(), strict=True):
                self._uses.setdefault(name, []).append((number, count))

    def take(self, root: int) -> bool:
        """Remove a set if every axis can do without it; whether it went."""
        uses = self._uses.get(root, [])
        if any(self._spare[number] < count for number, count in uses):
            return False
        for number, count in uses:
            self._spare[number] -= count
        return True


def choose(
    analysis: Analysis, ranking: Ranking, amount: float, multiple: int = 8, progress: Progress = silent
) -> set[int]:
    """The channels of each group that cost least.

    Args:
        analysis: of the graph.
        ranking: what each costs.
        amount: the part of each group that is to go, 0 to 1.
        multiple: see `quota`.
        progress: told of each group.

    Returns:
        A slot for each set that goes.
    """
    floors, removed, all_groups = Floors(analysis.axes_in_use(), amount), set(), groups(analysis)
    for number, group in enumerate(all_groups):
        progress("choosing channels", number, len(all_groups))
        there, wanted = set(group), quota(len(group), amount, multiple)
        while wanted and (costs := ranking.costs(there)):
            cheapest = min(costs, key=lambda root: (costs[root], root))
            there.discard(cheapest)
            if floors.take(cheapest):
                ranking.remove(cheapest)
                removed.add(cheapest)
                wanted -= 1
    return removed


def quota(count: int, amount: float, multiple: int) -> int:
    """How many channels of a group go.

    What is left is a multiple of `multiple`, or of the largest power of two below it that is at most a quarter of the
    group: processors compute channels 8 or 16 at a time.
    """
    unit = 1
    while unit * 2 <= min(multiple, count // 4):
        unit *= 2
    stay = round(count * (1 - amount) / unit) * unit
    return max(count - max(stay, unit, LEAST), 0)
