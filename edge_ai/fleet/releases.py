"""Good and bad releases, and what robots that run them measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_ai.fleet.rollout_params import RolloutParams


@dataclass(frozen=True, slots=True)
class Release:
    """What a release changes on the robots it affects.

    Attributes:
        bad: whether it should be taken back.
        errors: share of frames that fail besides those that fail anyway; below 0: fewer of these, as a share.
        slower: latencies, as multiples of those before.
        wider: spread of latencies from look to look, as a multiple.
        outliers: share of the looks at which a robot is a hundred times slower.
        affected: share of the robots that it does this to.
        onset: how long a robot runs it before it does so, s.
    """

    bad: bool
    errors: float = 0.0
    slower: float = 1.0
    wider: float = 1.0
    outliers: float = 0.0
    affected: float = 1.0
    onset: float = 0.0


RELEASES = {
    "same": Release(bad=False),
    "better": Release(bad=False, errors=-0.8, slower=0.8),
    "slower-5%": Release(bad=False, slower=1.05),
    "fails": Release(bad=True, errors=0.5),
    "errors-2.5%": Release(bad=True, errors=0.025),
    "slower-30%": Release(bad=True, slower=1.3),
    "wider": Release(bad=True, wider=4.0),
    "x100": Release(bad=True, outliers=0.7),
    "one-in-5": Release(bad=True, errors=0.2, affected=0.2),
    "after-10min": Release(bad=True, errors=0.1, onset=600.0),
    "after-2h": Release(bad=True, errors=0.1, onset=7200.0),
}
"""By name, good ones first. ``x100``: 7 values of 10 are a hundred times as great."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One look.

    Attributes:
        failed: (robots,) frames without an answer.
        frames: of each robot.
        latency: (robots,) s.
    """

    failed: NDArray[np.int64]
    frames: int
    latency: NDArray[np.float64]


class Robots:
    """A fleet of which the first robots run a release.

    Args:
        params: of the fleet.
        release: the new one.
        rng: of all that is drawn.
    """

    def __init__(self, params: RolloutParams, release: Release, rng: np.random.Generator) -> None:
        self._params, self._release, self._rng = params, release, rng
        self._own = rng.normal(0, params.unlike, params.robots)
        self._recent = rng.normal(0, 1, params.robots)
        self._affected = rng.random(params.robots) < release.affected
        self._since = np.full(params.robots, np.inf)
        self._phase = rng.random()

    def install(self, count: int, now: float) -> None:
        """The first so many run the release from now on, unless they do already."""
        self._since[:count] = np.minimum(self._since[:count], now)

    def measure(self, now: float, seconds: float) -> Measured:
        """What so much time, that ends now, has brought."""
        params, new, rng = self._params, self._release, self._rng
        changed = self._affected & (now - self._since > new.onset)
        usual = params.errors * (1 + params.day * np.sin(2 * np.pi * (now / 86400 + self._phase)))
        share = np.where(changed, usual + new.errors if new.errors >= 0 else usual * (1 + new.errors), usual)
        frames = round(params.rate * seconds)
        failed = params.burst * rng.binomial(frames // params.burst, np.minimum(share, 1.0))
        fresh = rng.normal(0, 1, params.robots)
        self._recent = params.lasting * self._recent + np.sqrt(1 - params.lasting**2) * fresh
        spread = params.spread * np.where(changed, new.wider, 1.0)
        latency = params.latency * np.where(changed, new.slower, 1.0) * np.exp(self._own + spread * self._recent)
        latency[changed & (rng.random(params.robots) < new.outliers)] *= 100
        return Measured(failed, frames, latency)
