"""How many items to run at once, and how long to wait for them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge_ai.core.clock import NS
from edge_ai.core.errors import ParameterError


class Plan(NamedTuple):
    """What to do next.

    Attributes:
        size: items to take at most.
        enough: run as soon as so many wait,
        until_ns: or at this steady time with those that do.
        takes_ns: an item whose deadline is nearer than this when the batch begins is not run.
    """

    size: int
    enough: int
    until_ns: int
    takes_ns: int = 0


class BatchPolicy(Protocol):
    """Decides on batches.

    A batcher asks it under its lock, so it need not be safe between threads, but be quick; `tune` alone is called
    without.
    """

    @property
    def max_size(self) -> int:
        """No batch is ever larger."""

    def plan(self, now_ns: int, waiting: int, since_ns: int, soonest_ns: int | None) -> Plan:
        """Decide.

        Args:
            now_ns: steady time.
            waiting: items that wait, at least 1.
            since_ns: steady time since when the first of them waits.
            soonest_ns: the earliest of their deadlines, or None where none has one.
        """

    def least_ns(self, now_ns: int) -> int:
        """How long the quickest run takes, as far as known; an item with less time left is not let in."""

    def arrived(self, now_ns: int, deadline_ns: int | None) -> None:
        """One more item waits."""

    def ran(self, size: int, took_ns: int, now_ns: int) -> None:
        """A batch ran without failing."""

    def tune(self) -> None:
        """Take some time to think, between two batches of a worker."""


class FixedPolicy:
    """Up to ``size`` items, or those that have come when the first has waited for ``wait`` seconds.

    ``FixedPolicy()`` is for models without a batch dimension: one item at a time, and no waiting.

    Args:
        size: items in a batch at most, at least 1.
        wait: seconds that the first of them waits for the others at most.

    Raises:
        ParameterError: an argument is out of range.
    """

    def __init__(self, size: int = 1, wait: float = 0.0) -> None:
        if size < 1:
            raise ParameterError("the size of a batch", got=size, wanted="at least 1")
        if not 0 <= wait <= 60:
            raise ParameterError("the wait for a batch", got=wait, wanted="0 to 60 s")
        self._size, self._wait_ns = size, round(wait * NS)

    @property
    def max_size(self) -> int:
        return self._size

    def plan(self, now_ns: int, waiting: int, since_ns: int, soonest_ns: int | None) -> Plan:
        until = since_ns + self._wait_ns
        return Plan(self._size, self._size, until if soonest_ns is None else min(until, soonest_ns - 1))

    def least_ns(self, now_ns: int) -> int:
        return 0

    def arrived(self, now_ns: int, deadline_ns: int | None) -> None: ...

    def ran(self, size: int, took_ns: int, now_ns: int) -> None: ...

    def tune(self) -> None: ...
