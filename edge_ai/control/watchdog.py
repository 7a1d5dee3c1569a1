"""How old is what we know? Measured on the steady clock, so that a jump of the time of day changes nothing."""

from __future__ import annotations

from edge_ai.core.clock import NS


class Watchdog:
    """Knows the age of the newest result, counted from its capture."""

    def __init__(self) -> None:
        self._captured_ns: int | None = None

    def feed(self, captured_ns: int, now_ns: int) -> None:
        """Take note of a result.

        Args:
            captured_ns: when its frame was captured, on the steady clock. One that lies ahead counts as captured now:
                a clock a little ahead must not lengthen the life of a result.
            now_ns: the steady time now.
        """
        self._captured_ns = min(captured_ns, now_ns)

    def forget(self) -> None:
        """Know nothing, as at the start."""
        self._captured_ns = None

    def age(self, now_ns: int) -> float | None:
        """Seconds since the capture of the newest result; None if there is none."""
        return None if self._captured_ns is None else (now_ns - self._captured_ns) / NS

    def fresh(self, now_ns: int, max_age: float) -> bool:
        """Whether there is a result no older than ``max_age`` seconds."""
        age = self.age(now_ns)
        return age is not None and age <= max_age
