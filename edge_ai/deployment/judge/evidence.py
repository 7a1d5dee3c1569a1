"""Evidence that may be looked at after every window: e-processes for the difference of two shares.

An e-process starts at 1 and, if its hypothesis holds, has an expectation of at most 1 whenever one stops, so that it
ever reaches 1 / alpha with a chance of at most alpha (Ville's inequality; Ramdas, Grünwald, Vovk and Shafer 2023,
"Game-theoretic statistics and safe anytime-valid inference").

* Two groups: likelihood ratios of an alternative over the point of the hypothesis nearest to it, which is an e-value
  for any group sizes (Turner and Grünwald 2023, "Exact anytime-valid confidence intervals for contingency tables").
* Pairs: bets on a bounded mean (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
  betting").
* Frames of a row of ``block`` are dependent: the factor of a window is taken to the power 1 / block. That is the
  geometric mean of the e-values of every block-th frame, and so not above their arithmetic mean, itself an e-value
  however they depend on each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_WORSE_BY = np.array([0.02, 0.06, 0.2, 0.6, 0.95])  # of the way from the boundary to certainty
_BETS = np.array([0.03, 0.1, 0.3, 0.6, 0.95])  # of the greatest that cannot ruin
_FLOOR = (
    0.05  # an alternative's least share, as a share of what is tolerated: one event alone costs no more than 3 nats
)
_TINY = 1e-9


class Mixture:
    """The e-process of several strategies, each begun anew at every window: what turns bad late is seen too.

    Weights are 1 / strategies and, for the begin at window t, 1 / (t (t + 1)).
    """

    def __init__(self, strategies: int) -> None:
        self._begun = np.full(strategies, -np.inf)
        self._windows = 0

    def multiply(self, log_factors: Array) -> None:
        """Take in the logarithms of a window's e-values, one a strategy."""
        self._windows += 1
        begin = -math.log(self._windows * (self._windows + 1.0) * len(log_factors))
        self._begun = np.logaddexp(self._begun, begin) + log_factors

    @property
    def log(self) -> float:
        """The logarithm of its value."""
        return float(np.logaddexp(np.logaddexp.reduce(self._begun), -math.log(self._windows + 1.0)))


@dataclass(slots=True)
class Group:
    """What a group's events came to."""

    bad: float = 0.0
    total: float = 0.0

    def add(self, bad: float, total: float) -> None:
        """Take in more."""
        self.bad += bad
        self.total += total

    @property
    def share(self) -> float:
        """Of bad events."""
        return self.bad / self.total

    def guess(self, base: float, block: int) -> float:
        """The share to bet on: what was seen, and one event of share ``base`` before."""
        return (self.bad / block + base) / (self.total / block + 1)


class Comparison:
    """Whether the canary's share of bad events is more than ``tolerance`` above the stable group's.

    Args:
        tolerance: the difference that parts good from bad, above 0.
        base: the share expected before anything is seen.
        block: events in a row that count as one.
    """

    def __init__(self, tolerance: float, base: float, block: int) -> None:
        self.tolerance, self._base, self._block = tolerance, base, block
        self.stable, self.canary = Group(), Group()
        self._against = Mixture(1 + len(_WORSE_BY)), Mixture(len(_BETS))
        self._in_favour = Mixture(2), Mixture(len(_BETS))

    @property
    def against(self) -> float:
        """Logarithm of the evidence that the canary is worse than tolerated."""
        return sum(mixture.log for mixture in self._against)

    @property
    def in_favour(self) -> float:
        """Logarithm of the evidence that it is not."""
        return sum(mixture.log for mixture in self._in_favour)

    def add_groups(self, stable: Group, canary: Group) -> None:
        """Take in a window of two groups, neither of them empty."""
        worse, good = self._alternatives()
        ratios = log_ratio(stable, canary, np.vstack([worse, good]), self.tolerance) / self._block
        self._against[0].multiply(ratios[: len(worse)])
        self._in_favour[0].multiply(ratios[len(worse) :])
        self._saw(stable, canary)

    def add_pairs(self, stable: Array, canary: Array) -> None:
        """Take in a window of pairs of one length above 0, each value 0 (good) to 1 (bad)."""
        excess = canary - stable - self.tolerance  # from -1 - tolerance to 1 - tolerance
        against = np.log1p(_BETS[:, None] / (1 + self.tolerance) * excess).sum(axis=1)
        in_favour = np.log1p(-_BETS[:, None] / (1 - self.tolerance) * excess).sum(axis=1)
        self._against[1].multiply(against / self._block)
        self._in_favour[1].multiply(in_favour / self._block)
        self._saw(Group(float(stable.sum()), len(stable)), Group(float(canary.sum()), len(canary)))

    def _saw(self, stable: Group, canary: Group) -> None:
        self.stable.add(stable.bad, stable.total)
        self.canary.add(canary.bad, canary.total)

    def _alternatives(self) -> tuple[Array, Array]:
        """(K, 2) pairs of shares, stable and canary, to bet on: of a worse canary, and of one that is not."""
        least, gap = _FLOOR * self.tolerance, self.tolerance
        stable = min(max(self.stable.guess(self._base, self._block), least), 1 - 1.1 * gap)
        canary = min(max(self.canary.guess(self._base, self._block), least), 1 - _TINY)
        both = Group(self.stable.bad + self.canary.bad, self.stable.total + self.canary.total)
        common = min(max(both.guess(self._base, self._block), least), 1 - 1.1 * gap)
        edge = stable + gap
        worse = np.append(edge + (1 - edge) * _WORSE_BY, max(canary, edge + _FLOOR * gap))
        against = np.column_stack([np.full(len(worse), stable), np.minimum(worse, 1 - _TINY)])
        return against, np.array([[common, common], [stable, min(canary, edge - _FLOOR * gap)]])


def log_ratio(stable: Group, canary: Group, alternatives: Array, gap: float) -> Array:
    """Logarithms of the likelihood ratios of a window over the nearest shares that differ by just ``gap``.

    Args:
        stable: events of one group.
        canary: and of the other.
        alternatives: (K, 2) pairs of shares above 0 and below 1, stable and canary.
        gap: canary's share less the stable group's on the boundary of the hypothesis.

    Returns:
        (K,): each e-value's logarithm if the hypothesis is the side of the boundary that an alternative is not on.
    """
    nearest = _nearest(alternatives, stable.total / canary.total, gap)
    total = np.zeros(len(alternatives))
    for column, group in enumerate((stable, canary)):
        guess, null = alternatives[:, column], nearest[:, column]
        total += group.bad * np.log(guess / null) + (group.total - group.bad) * np.log((1 - guess) / (1 - null))
    return total


def _nearest(alternatives: Array, weight: float, gap: float) -> Array:
    """The pairs ``(x, x + gap)`` of least divergence from the alternatives, where stable counts ``weight`` times.

    The root of a cubic, in closed form as given by Farrington and Manning 1990 (their equation for the constrained
    maximum likelihood).
    """
    stable, canary = alternatives.T
    a = 1 + weight
    b = -(1 + weight + canary + weight * stable + gap * (weight + 2)) / (3 * a)
    c = (gap**2 + gap * (2 * canary + weight + 1) + canary + weight * stable) / (3 * a)
    d = -canary * gap * (1 + gap) / (2 * a)
    v = b**3 - 1.5 * b * c + d
    u = np.copysign(np.sqrt(np.maximum(b**2 - c, 1e-30)), v)
    x = 2 * u * np.cos((np.pi + np.arccos(np.clip(v / u**3, -1, 1))) / 3) - b - gap
    x = np.clip(x, _TINY, 1 - gap - _TINY)
    return np.column_stack([x, x + gap])
