"""What is seen of a new model while the one before stands by: whether it may stay."""

from __future__ import annotations

import statistics
import threading
from collections import deque

from edge_ai.core.clock import NS, Clock
from edge_ai.runtime.swap.likeness import Likeness
from edge_ai.runtime.swap.params import SwapParams

_NEWEST = 200  # latencies that count
_FEWEST = 20  # of them that tell something
_FEWEST_COMPARED = 10
_SHORTEST_DEADLINE = 0.25  # s
_SLOWER = 1.2  # times what the model before takes at the same time


class Probation:
    """Counts what happens; thread-safe.

    Args:
        swap: the bounds.
        budget: seconds that the new model may take for a frame, the median.
        clock: tells the time.
    """

    def __init__(self, swap: SwapParams, budget: float, clock: Clock) -> None:
        self._swap, self._budget, self._clock = swap, budget, clock
        self._began_ns = clock.steady_ns()
        self._lock = threading.Lock()
        self._answered = self._errors = self._compared = 0
        self._last_error = self._hung = ""
        self._own: deque[float] = deque(maxlen=_NEWEST)
        self._before: deque[float] = deque(maxlen=_NEWEST)
        self._likeness = Likeness()

    @property
    def deadline(self) -> float:
        """Seconds that a frame may take before the model before answers it."""
        return self._swap.deadline or max(_SHORTEST_DEADLINE, 10 * self._budget)

    def answered(self, frames: int, seconds: float) -> None:
        """The new model has answered so many frames in one inference."""
        with self._lock:
            self._answered += frames
            self._own.append(seconds / frames)

    def failed(self, frames: int, error: Exception) -> None:
        """It has not, where the model before could."""
        with self._lock:
            self._errors += frames
            self._last_error = str(error)

    def hung(self, error: Exception) -> None:
        """It has not come back in its time."""
        with self._lock:
            self._hung = str(error)

    def compared(self, found: Likeness, seconds: float) -> None:
        """What the model before says of a frame that the new one has answered, and in what time."""
        with self._lock:
            self._compared += 1
            self._likeness += found
            self._before.append(seconds)

    @property
    def fault(self) -> str:
        """Why the new model must go; empty if nothing speaks against it."""
        with self._lock:
            if self._hung:
                return f"it hangs: {self._hung}"
            if self._errors > self._swap.probation_errors:
                most = self._swap.probation_errors
                return f"it failed on {self._errors} frames that the model before can answer, allowed are {most}: " + (
                    self._last_error
                )
            return self._slow() or self._drifted()

    @property
    def progress(self) -> float:
        """From 0 to 1; 1: its time is over, and it has answered enough."""
        passed = (self._clock.steady_ns() - self._began_ns) / NS / self._swap.probation
        return min(1.0, passed, self._answered / self._swap.probation_frames)

    @property
    def summary(self) -> str:
        """What was seen, in words."""
        with self._lock:
            parts = [f"{self._answered} frames answered, {self._errors} failed"]
            if self._own:
                parts.append(f"{statistics.median(self._own) * 1e3:.1f} ms a frame")
            if self._likeness.weight:
                parts.append(f"agreement {self._likeness.agreement:.2f} on {self._compared} frames")
            return ", ".join(parts)

    def _slow(self) -> str:
        """Beyond its budget, and not because the machine is slow just now: then the model before is, too."""
        if len(self._own) < _FEWEST:
            return ""
        own = statistics.median(self._own)
        before = statistics.median(self._before) if len(self._before) >= _FEWEST_COMPARED else 0.0
        if own <= max(self._budget, _SLOWER * before):
            return ""
        return f"it takes {own * 1e3:.1f} ms a frame, allowed are {max(self._budget, _SLOWER * before) * 1e3:.1f} ms"

    def _drifted(self) -> str:
        if self._compared < _FEWEST_COMPARED or not self._likeness.weight:
            return ""
        found = self._likeness.agreement
        if found >= self._swap.agreement:
            return ""
        return (
            f"its answers drift: agreement with the model before {found:.2f} on {self._compared} frames, "
            f"wanted {self._swap.agreement:g}"
        )
