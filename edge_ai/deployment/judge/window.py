"""What one interval brought of one metric, from the stable group and from the canary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of a group in one interval.

    Attributes:
        bad: how many went wrong.
        total: how many there were.
    """

    bad: int
    total: int


@dataclass(frozen=True, slots=True)
class Window:
    """One interval of one metric of which more is worse.

    Attributes:
        metric: its name.
        stable: of the stable group: counts, or values of at least 0 (one a robot, such as its p95 latency).
        canary: of the canary, of the same kind.
        paired: (stable, canary) on the same frames, or of the same robot in the same interval, as a shadow run gives
            them; where there are any they are compared in place of the groups. For a metric that is counted, 0 is good
            and 1 bad.
    """

    metric: str
    stable: Counts | Sequence[float]
    canary: Counts | Sequence[float]
    paired: Sequence[tuple[float, float]] = ()
