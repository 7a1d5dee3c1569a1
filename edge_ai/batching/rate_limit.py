"""A cap on how often something may happen."""

from __future__ import annotations

from edge_ai.core.clock import NS


class RateLimit:
    """The generic cell rate algorithm (ITU-T I.371, annex A) with half an interval of tolerance.

    The tolerance lets a camera through that runs at the capped rate and jitters; over time the cap holds exactly.

    Args:
        rate: how often a second, above 0.
    """

    def __init__(self, rate: float) -> None:
        self._interval_ns = round(NS / rate)
        self._due_ns: int | None = None

    def allows(self, now_ns: int) -> bool:
        """Whether it may happen now; if so, it counts as having happened.

        Args:
            now_ns: steady time, never less than before.
        """
        due = now_ns if self._due_ns is None else self._due_ns
        if now_ns < due - self._interval_ns // 2:
            return False
        self._due_ns = max(now_ns, due) + self._interval_ns
        return True
