"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Pauses that grow from try to try, with jitter so that many robots do not call one camera in step.

    Args:
        initial: first pause in seconds.
        factor: growth from one pause to the next.
        maximum: longest pause in seconds.
        chance: source of the jitter.
    """

    def __init__(self, initial: float, factor: float, maximum: float, chance: random.Random | None = None) -> None:
        self._initial, self._factor, self._maximum = initial, factor, maximum
        self._chance = chance or random.Random()
        self._next = initial

    def pause(self) -> float:
        """The pause before the next try: between half and all of initial * factor**tries, at most the maximum."""
        whole = min(self._next, self._maximum)
        self._next = min(whole * self._factor, self._maximum)
        return whole * self._chance.uniform(0.5, 1.0)

    def streamed(self, seconds: float) -> None:
        """Frames came for this long: start again with the first pause if that is longer than the next pause would be.

        A camera that comes back only to die at once thus keeps being asked more and more rarely.
        """
        if seconds > self._next:
            self._next = self._initial
