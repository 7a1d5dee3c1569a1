"""Whose turn it is: strict priorities, and below them each source its share, however much it asks for.

Within a priority this is start-time fair queuing (Goyal, Vin, Cheng: Start-time Fair Queuing, SIGCOMM 1996, section 2)
with every item of length 1:

    S = max(v, F of the source's item before)    F = S + 1 / weight

The item with the least start tag S goes first; the virtual time v is the S of the item last served, and when nothing of
its priority waits any more, the greatest F served so far. Whoever sends nothing saves nothing up. An item that leaves
without being served (replaced, cancelled) is not charged to its source.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edge_ai.core.errors import ParameterError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share:
    """What a source (a camera, a client) may have of the engine.

    Attributes:
        weight: share of the engine among the sources of its priority, above 0.
        priority: higher goes first, always.
        max_rate: items a second at most; 0: no cap.
    """

    weight: float = 1.0
    priority: int = 0
    max_rate: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.weight < math.inf):
            raise ParameterError("the weight of a source", got=self.weight, wanted="a finite number above 0")
        if not (0 <= self.max_rate < math.inf):
            raise ParameterError("the rate of a source", got=self.max_rate, wanted="items a second, or 0 for no cap")


@dataclass(slots=True)
class _Level(Generic[T]):
    """All sources of one priority; tags are comparable only among them."""

    active: list[_Flow[T]] = field(default_factory=list)
    virtual: float = 0.0
    furthest: float = 0.0


@dataclass(slots=True, eq=False)
class _Flow(Generic[T]):
    """What waits of one source."""

    level: _Level[T]
    cost: float
    items: deque[T] = field(default_factory=deque)
    start: float = 0.0
    finish: float = 0.0


class FairQueue(Generic[T]):
    """Items of many sources in the order in which they are to be served; first come, first served within a source.

    Not safe between threads: whoever owns it holds a lock. It remembers every source it ever saw, so their names must
    be few and lasting.

    Args:
        shares: by source; a source not named has `Share`'s defaults.
    """

    def __init__(self, shares: Mapping[str, Share] | None = None) -> None:
        self._shares = dict(shares or {})
        self._flows: dict[str, _Flow[T]] = {}
        self._levels: dict[int, _Level[T]] = {}
        self._order: list[_Level[T]] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        """All that waits, in no particular order."""
        return (item for level in self._order for flow in level.active for item in flow.items)

    def heads(self) -> Iterator[T]:
        """The first of each source that has something waiting."""
        return (flow.items[0] for level in self._order for flow in level.active)

    def waiting(self, source: str) -> deque[T] | tuple[()]:
        """What waits of one source, first to last; to look at only."""
        flow = self._flows.get(source)
        return flow.items if flow is not None else ()

    def push(self, source: str, item: T) -> None:
        """Let an item wait behind those of its source."""
        flow = self._flows.get(source)
        if flow is None:
            flow = self._new_flow(source)
        if not flow.items:
            flow.start = max(flow.level.virtual, flow.finish)
            flow.level.active.append(flow)
        flow.items.append(item)
        self._length += 1

    def replace(self, source: str, item: T) -> list[T]:
        """Let an item take the place of all that waits of its source; its turn comes no later for it.

        Returns:
            What it took the place of.
        """
        flow = self._flows.get(source)
        if flow is None or not flow.items:
            self.push(source, item)
            return []
        replaced = list(flow.items)
        flow.items.clear()
        flow.items.append(item)
        self._length -= len(replaced) - 1
        return replaced

    def pop(self) -> T:
        """Take the item whose turn it is.

        Raises:
            IndexError: nothing waits.
        """
        for level in self._order:
            if level.active:
                return self._serve(level)
        raise IndexError("pop from an empty queue")

    def remove(self, source: str, item: T) -> None:
        """Take an item out of turn; it costs its source nothing.

        Raises:
            ValueError: it does not wait.
        """
        flow = self._flows.get(source)
        if flow is None:
            raise ValueError(f"nothing ever came from {source!r}")
        flow.items.remove(item)
        self._length -= 1
        if not flow.items:
            flow.level.active.remove(flow)
            self._rest(flow.level)

    def clear(self) -> list[T]:
        """Take all that waits, in no particular order."""
        items = list(self)
        for level in self._order:
            for flow in level.active:
                flow.items.clear()
            level.active.clear()
            self._rest(level)
        self._length = 0
        return items

    def _serve(self, level: _Level[T]) -> T:
        active = level.active
        # The earliest to become active wins a tie, for min() keeps the first.
        flow = active[0] if len(active) == 1 else min(active, key=_start)
        item = flow.items.popleft()
        self._length -= 1
        level.virtual = flow.start
        flow.finish = flow.start + flow.cost
        level.furthest = max(level.furthest, flow.finish)
        if flow.items:
            flow.start = flow.finish
        else:
            active.remove(flow)
            self._rest(level)
        return item

    @staticmethod
    def _rest(level: _Level[T]) -> None:
        if not level.active:
            level.virtual = level.furthest

    def _new_flow(self, source: str) -> _Flow[T]:
        share = self._shares.get(source, Share())
        level = self._levels.get(share.priority)
        if level is None:
            level = self._levels[share.priority] = _Level()
            self._order = [self._levels[priority] for priority in sorted(self._levels, reverse=True)]
        flow = self._flows[source] = _Flow(level, 1.0 / share.weight)
        return flow


def _start(flow: _Flow[T]) -> float:
    return flow.start
