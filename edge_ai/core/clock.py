"""Time: stamps come from a clock that may jump, ages from one that never does."""

from __future__ import annotations

import time
from typing import Protocol

NS = 1_000_000_000


class Clock(Protocol):
    """A source of both kinds of time, in nanoseconds."""

    def stamp_ns(self) -> int:
        """Time to stamp data with: ROS time, or the wall clock without ROS."""

    def steady_ns(self) -> int:
        """Monotonic time, for durations."""


class SystemClock:
    """The machine's own clocks."""

    def stamp_ns(self) -> int:
        return time.time_ns()

    def steady_ns(self) -> int:
        return time.monotonic_ns()


class ManualClock:
    """A clock that moves only when told to: for tests and replays."""

    def __init__(self, stamp_ns: int = 1_800_000_000 * NS, steady_ns: int = 5 * NS) -> None:
        self._stamp, self._steady = stamp_ns, steady_ns

    def stamp_ns(self) -> int:
        return self._stamp

    def steady_ns(self) -> int:
        return self._steady

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self._stamp += round(seconds * NS)
        self._steady += round(seconds * NS)

    def step_stamps(self, seconds: float) -> None:
        """Jump the stamping clock alone, as NTP does."""
        self._stamp += round(seconds * NS)


def to_steady(stamp_ns: int, clock: Clock) -> int:
    """The steady time of a stamp, as far as both clocks say now.

    Convert once, on arrival: a later jump of the stamping clock then changes no age.
    """
    return clock.steady_ns() - (clock.stamp_ns() - stamp_ns)


def to_stamp(steady_ns: int, clock: Clock) -> int:
    """The stamp of a steady time, as far as both clocks say now."""
    return clock.stamp_ns() - (clock.steady_ns() - steady_ns)
