"""What sampling a process gives, whoever samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Stack = tuple[str, ...]
"""A thread's name and the functions it was in, outermost first."""

NATIVE = "native threads"
"""What stands in place of functions for threads that run no Python."""
UNSEEN = "not caught at work"
"""What stands there for one that does, but was never found at it."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """Where the processor time of a process went.

    Attributes:
        seconds: that were looked at.
        weights: processor seconds by stack.
        samples: how many times it was looked at.
        threads: that ran Python at the end; 0: not known.
        own: processor seconds that looking took, besides what is in ``weights``.
        sampler: who looked.
        notes: what a reader should know of these figures.
    """

    seconds: float
    weights: Mapping[Stack, float]
    samples: int
    sampler: str
    threads: int = 0
    own: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def busy(self) -> float:
        """Processor seconds of all stacks."""
        return sum(self.weights.values())

    def costs(self) -> dict[str, float]:
        """Processor seconds in each function itself, over all threads; native threads by their names."""
        costs: dict[str, float] = {}
        for stack, seconds in self.weights.items():
            name = f"{stack[-1]} {stack[0]}" if stack[1:] in ((NATIVE,), (UNSEEN,)) else stack[-1]
            costs[name] = costs.get(name, 0.0) + seconds
        return costs

    def folded(self) -> str:
        """One line a stack with its microseconds, as speedscope and flamegraph.pl take it."""
        lines = (
            f"{';'.join(frame.replace(';', ':') for frame in stack)} {round(seconds * 1e6)}\n"
            for stack, seconds in sorted(self.weights.items())
        )
        return "".join(lines)
