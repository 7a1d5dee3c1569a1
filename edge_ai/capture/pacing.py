"""When a recorded frame is due, and which frames a rate cap lets through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge_ai.core.clock import NS

CATCH_UP_S = 1.0
"""Longest run of skipping, in seconds."""


class Verdict(Enum):
    """What to do with a recorded frame."""

    SHOW = "show"
    SKIP = "skip"


@dataclass(frozen=True)
class Plan:
    """What to do with one frame, and when.

    Attributes:
        verdict: show or skip.
        due_ns: the instant it is due on the steady clock, nanoseconds; the stamp of a frame shown.
        wait_s: time until then in seconds, 0 if past.
    """

    verdict: Verdict
    due_ns: int
    wait_s: float


class Pacer:
    """The timetable of a recording: frame i is due at the start plus its media time.

    A frame whose successor is due already is skipped, so that a slow consumer sees fresh frames instead of falling
    behind. Skipping goes on while it gains on the timetable, for `CATCH_UP_S` at most; a machine that cannot decode in
    time gains nothing, so the frame is then shown as due now and all later ones shift with it.

    Args:
        period_s: nominal time between two frames in seconds.
    """

    def __init__(self, period_s: float) -> None:
        self._period = round(period_s * NS)
        self._start: int | None = None
        self._skipping_since: int | None = None
        self._last_late = self._last_due = 0

    def plan(self, media_s: float, now_ns: int) -> Plan:
        """Decide about the frame of media time ``media_s`` seconds at steady time ``now_ns``; the first is due now."""
        media = round(media_s * NS)
        if self._start is None:
            self._start = now_ns - media
        late = now_ns - (self._start + media)
        verdict = self._judge(late, now_ns)
        if verdict is Verdict.SHOW and late >= self._period:
            self._start += late
            late = 0
        self._last_due = self._start + media
        return Plan(verdict, self._last_due, max(0.0, -late / NS))

    def left(self, now_ns: int) -> float:
        """Seconds until one period after the last frame planned: when a recording that repeats starts again."""
        return max(0.0, (self._last_due + self._period - now_ns) / NS)

    def _judge(self, late: int, now_ns: int) -> Verdict:
        since = self._skipping_since
        hopeless = since is not None and (late >= self._last_late or now_ns - since >= CATCH_UP_S * NS)
        if late < self._period or hopeless:
            self._skipping_since = None
            return Verdict.SHOW
        self._skipping_since = now_ns if since is None else since
        self._last_late = late
        return Verdict.SKIP


class RateCap:
    """Lets at most so many frames a second through, evenly, whatever the source's rate.

    Args:
        max_rate: frames a second; 0 lets all through.
    """

    def __init__(self, max_rate: float) -> None:
        self._rate, self._period = max_rate, _period(max_rate)
        self._next: int | None = None

    def change(self, max_rate: float) -> None:
        """Another cap, counted from the last frame that passed: lifting it brings the next frame at once."""
        if max_rate == self._rate:
            return
        before, self._rate, self._period = self._period, max_rate, _period(max_rate)
        if self._next is not None:
            self._next = self._next - before + self._period

    def accepts(self, instant_ns: int) -> bool:
        """Whether the frame of this instant (nanoseconds, non-decreasing) passes."""
        if not self._period:
            self._next = instant_ns
            return True
        if self._next is None:
            self._next = instant_ns
        # A camera's jitter must not cost a whole frame: a tenth early is on time, and the average rate stays capped.
        if instant_ns < self._next - self._period // 10:
            return False
        late = instant_ns - self._next
        self._next += self._period if late < self._period else late + self._period
        return True


def _period(max_rate: float) -> int:
    return round(NS / max_rate) if max_rate else 0
