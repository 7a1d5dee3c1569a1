"""What is wrong with a link."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """The state of a link, the same in both directions; nothing given: nothing is wrong.

    Attributes:
        delay: one way, seconds.
        jitter: on top, uniformly from 0 to this, seconds. Nothing overtakes anything.
        loss: share of the packets that are lost, 0 to 1.
        rate: bytes/s each way, for all connections together; 0: unlimited.
        blackhole: nothing arrives any more, and nobody is told.
        reset: connections end with a reset in the middle of the next response.
        refuse: new connections are refused; those that are there go on.
        slow_loris: responses arrive one byte a second.

    Raises:
        ValueError: a value out of its range.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    rate: float = 0.0
    blackhole: bool = False
    reset: bool = False
    refuse: bool = False
    slow_loris: bool = False

    def __post_init__(self) -> None:
        for name in ("delay", "jitter", "rate"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"'{name}' must be 0 or more, got {value}")
        if not 0 <= self.loss <= 1:
            raise ValueError(f"'loss' must be from 0 to 1, got {self.loss}")
