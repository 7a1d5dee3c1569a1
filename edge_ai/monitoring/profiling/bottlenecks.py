"""What takes more than its share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

THRESHOLD = 0.1
"""Share of the whole above which something is called a bottleneck, where nobody asks for another."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """One of the things that take most.

    Attributes:
        name: a stage, a marked function, or a function with its file and line.
        seconds: what it takes, of a frame or of the time looked at.
        share: of the whole, 0 to 1.
    """

    name: str
    seconds: float
    share: float

    def __str__(self) -> str:
        return f"{self.name} {self.share:.0%} ({_duration(self.seconds)})"


def bottlenecks(costs: Mapping[str, float], threshold: float = THRESHOLD, whole: float = 0.0) -> list[Bottleneck]:
    """What takes at least a share of the whole, the worst first.

    Args:
        costs: seconds by name.
        threshold: least share, 0 to 1.
        whole: seconds; 0: all costs together.
    """
    whole = whole or sum(costs.values())
    if whole <= 0:
        return []
    found = [Bottleneck(name, seconds, seconds / whole) for name, seconds in costs.items()]
    return sorted((one for one in found if one.share >= threshold), key=lambda one: -one.share)


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
