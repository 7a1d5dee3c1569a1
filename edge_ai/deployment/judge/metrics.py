"""The two kinds of metric, each as comparisons of shares: events that go wrong, and values beyond stable's quantiles.

A rank test sees only whether values tend to be greater. The shares beyond several quantiles also see a wider spread
and a few values that are far out, and thresholds taken from earlier stable values keep them valid at any time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_ai.deployment.judge.evidence import Array, Comparison, Group
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.deployment.judge.window import Counts, Window

QUANTILES = (0.5, 0.9, 0.99)
_PAIRS = "pairs"
_LEAST_KNOWN = 5
_MOST_KNOWN = 4096


class Metric(Protocol):
    """One metric's evidence so far.

    Attributes:
        comparisons: by what is compared; empty as long as there is nothing to compare with.
    """

    comparisons: dict[str, Comparison]

    def add(self, window: Window) -> None:
        """Take in a window that `fault_of` finds nothing wrong with."""

    def describe(self, what: str) -> str:
        """One of the comparisons, in words."""


class Events:
    """A metric whose events go well or wrong."""

    def __init__(self, params: JudgeParams) -> None:
        self._params = params
        self.comparisons: dict[str, Comparison] = {}

    def add(self, window: Window) -> None:
        if not self.comparisons:
            tolerance = self._params.rate_tolerance
            self.comparisons["share"] = Comparison(tolerance, tolerance / 2, self._params.frame_block)
        comparison = self.comparisons["share"]
        if len(window.paired):
            pairs = np.asarray(window.paired, dtype=np.float64)
            comparison.add_pairs(pairs[:, 0], pairs[:, 1])
        elif isinstance(window.stable, Counts) and isinstance(window.canary, Counts):
            comparison.add_groups(_group(window.stable), _group(window.canary))

    def describe(self, what: str) -> str:
        return _shares(self.comparisons[what])


class Values:
    """A metric of values, where ``value_tolerance`` more is as good.

    Thresholds are quantiles of the stable group's earlier values. Of the first window every other stable value makes
    them, and the rest is compared. Pairs are compared one with the other too: which of both is the greater one.
    """

    def __init__(self, params: JudgeParams) -> None:
        self._params = params
        self._known: deque[float] = deque(maxlen=_MOST_KNOWN)
        self.comparisons: dict[str, Comparison] = {}

    def add(self, window: Window) -> None:
        paired = len(window.paired) > 0
        pairs = np.asarray(window.paired, dtype=np.float64).reshape(-1, 2)
        stable, canary = (pairs[:, 0], pairs[:, 1]) if paired else map(_array, (window.stable, window.canary))
        if len(self._known) < _LEAST_KNOWN:
            self._known.extend(stable[::2])
            rest = slice(1, None, 2)
            stable, canary = stable[rest], canary[rest] if paired else canary
        if len(self._known) >= _LEAST_KNOWN and len(stable) and len(canary):
            known = np.sort(self._known)
            for quantile in QUANTILES:
                threshold = known[math.ceil(quantile * (len(known) - 1))]
                beyond = stable > threshold, canary > self._stretch * threshold
                self._compare(f"q{100 * quantile:g}", 1 - quantile, beyond, paired)
            if paired:
                self._compare(_PAIRS, 0.5, (stable > self._stretch * canary, canary > self._stretch * stable), paired)
        self._known.extend(stable)

    @property
    def _stretch(self) -> float:
        return 1 + self._params.value_tolerance

    def _compare(self, name: str, base: float, beyond: tuple[NDArray[np.bool_], ...], paired: bool) -> None:
        params = self._params
        if name not in self.comparisons:
            tolerance = max(params.tail_tolerance, params.effect_tolerance * math.sqrt(base * (1 - base)))
            self.comparisons[name] = Comparison(tolerance, base, params.value_block)
        comparison = self.comparisons[name]
        if paired:
            comparison.add_pairs(*(group.astype(np.float64) for group in beyond))
        else:
            comparison.add_groups(*(Group(float(group.sum()), len(group)) for group in beyond))

    def describe(self, what: str) -> str:
        than = "the other one" if what == _PAIRS else f"stable's {what}"
        return f"beyond {self._stretch:g} times {than} {_shares(self.comparisons[what])}"


def metric_of(window: Window, params: JudgeParams) -> Metric:
    """The kind that a window is of."""
    return Events(params) if isinstance(window.stable, Counts) else Values(params)


def fault_of(window: Window) -> str:
    """Why a window cannot be compared, in words; empty: it can."""
    if len(window.paired):
        pairs = np.asarray(window.paired, dtype=np.float64)
        top = 1.0 if isinstance(window.stable, Counts) else math.inf
        groups = {"stable": pairs[:, 0], "canary": pairs[:, 1]}
        return next((fault for name, values in groups.items() if (fault := _of_values(name, values, top))), "")
    for name, group in (("stable", window.stable), ("canary", window.canary)):
        fault = _of_counts(name, group) if isinstance(group, Counts) else _of_values(name, _array(group), math.inf)
        if fault:
            return fault
    return ""


def _of_counts(name: str, counts: Counts) -> str:
    if not 0 <= counts.bad <= counts.total < math.inf:
        return f"{name} counts {counts.bad} bad of {counts.total}"
    return "" if counts.total else f"no traffic at {name}"


def _of_values(name: str, values: Array, top: float) -> str:
    if not len(values):
        return f"no values of {name}"
    if not np.isfinite(values).all():
        return f"{name} has a value that is no number"
    if values.min() < 0 or values.max() > top:
        return f"{name} has a value of {values.min() if values.min() < 0 else values.max():g}"
    # Not one of its values has been measured, or so it seems. Pairs of events are all 0 if all is well.
    return f"{name} has only zeros" if top == math.inf and not values.any() else ""


def _array(values: Counts | Sequence[float]) -> Array:
    return np.asarray(values, dtype=np.float64)


def _group(counts: Counts) -> Group:
    return Group(float(counts.bad), float(counts.total))


def _shares(comparison: Comparison) -> str:
    stable, canary = comparison.stable, comparison.canary
    tolerated = f"tolerated {100 * comparison.tolerance:.3g} points more"
    return f"{_percent(canary)} against stable's {_percent(stable)}, {tolerated}"


def _percent(group: Group) -> str:
    return f"{100 * group.share:.3g} % of {group.total:g}"
