"""A robot's own computer: other programs load it, and one engine answers frames, the newest first."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from edge_ai.fleet.calibration import Calibration
from edge_ai.fleet.params import FleetParams
from edge_ai.fleet.world import World

_SMOOTH = 1.0
"""Time constant of the load a robot measures, s."""


class Work:
    """A frame for the engine, and what to do at its end: called with whether it was answered."""

    __slots__ = ("cancelled", "done")

    def __init__(self, done: Callable[[bool], None]) -> None:
        self.done, self.cancelled = done, False

    def cancel(self) -> None:
        """Nobody wants it any more: it is not begun, or its end is not told."""
        self.cancelled = True

    def end(self, answered: bool) -> None:
        """Tell of its end."""
        if not self.cancelled:
            self.done(answered)


class Machine:
    """Runs one frame at a time; one more may wait, and a newer one takes its place, as in the real pipeline.

    Other programs take ``background`` of the CPU; an inference gets what is left, so it takes 1 / (1 - background)
    times as long as alone. The load measured is theirs and the engine's together, smoothed over a second.
    """

    def __init__(self, world: World, params: FleetParams, calibration: Calibration, rng: random.Random) -> None:
        self._world, self._params, self._rng = world, params, rng
        self._alone = calibration.edge_s
        self._running: Work | None = None
        self._waiting: Work | None = None
        self._load = self._then = self._busy_until = self._changes = 0.0
        self.background = params.calm_load
        self._calm_or_busy(0.0)

    def load(self) -> float:
        """CPU load as measured now, 0 to 1."""
        self._update(self._world.now)
        return min(1.0, self.background + (1 - self.background) * self._load)

    def ask(self, work: Work) -> None:
        """Begin, or wait in the place of whoever waits."""
        if self._running is None:
            self._start(work)
            return
        replaced, self._waiting = self._waiting, work
        if replaced is not None:
            replaced.end(False)

    def _start(self, work: Work) -> None:
        now, params = self._world.now, self._params
        self._update(now)
        took = self._alone / (1 - self.background) * noisy(self._rng, params.noise)
        self._running = work
        # One simulated frame stands for several of the camera's: each would have kept the engine as busy.
        whole = min(1.0, took * params.rate) / params.simulated_rate
        self._busy_until = max(self._busy_until, now) + max(took, whole)
        self._world.after(took, lambda: self._finish(work))

    def _finish(self, work: Work) -> None:
        waiting, self._waiting, self._running = self._waiting, None, None
        if waiting is not None and not waiting.cancelled:
            self._start(waiting)
        work.end(True)

    def _update(self, now: float) -> None:
        """Bring the smoothed load and the other programs up to date."""
        passed = now - self._then
        if passed > 0:
            busy = min(max(self._busy_until - self._then, 0.0), passed) / passed
            keep = math.exp(-passed / _SMOOTH)
            self._load = self._load * keep + busy * (1 - keep)
            self._then = now
        self._calm_or_busy(now)

    def _calm_or_busy(self, now: float) -> None:
        params = self._params
        while now >= self._changes:
            self.background = params.busy_load if self._rng.random() < params.busy else params.calm_load
            self._changes += self._rng.expovariate(1 / params.dwell)
        if params.rush_start <= now < params.rush_end:
            self.background = params.busy_load


def noisy(rng: random.Random, spread: float) -> float:
    """A factor about 1 with a spread, lognormal; its mean is 1."""
    return rng.lognormvariate(-0.5 * spread * spread, spread) if spread else 1.0
