"""The judge: promote, reject, or not enough data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from edge_ai.core.errors import DeploymentError
from edge_ai.deployment.judge.evidence import Comparison
from edge_ai.deployment.judge.metrics import Metric, fault_of, metric_of
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.deployment.judge.window import Counts as Counts
from edge_ai.deployment.judge.window import Window as Window


class Verdict(Enum):
    """What is to become of a release."""

    PROMOTE = "promote"
    REJECT = "reject"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge makes of all it has seen.

    Attributes:
        verdict: promote, reject or not enough data.
        reason: why, one line for a log.
        figures: what a log keeps: by metric and comparison, such as "errors.share.canary" or
            "latency.q90.evidence_in_favour", and the evidence against the release in all.
    """

    verdict: Verdict
    reason: str
    figures: Mapping[str, float]


@dataclass(slots=True)
class _Seen:
    """A metric, how many windows of it were good, and what is wrong with the newest."""

    metric: Metric
    windows: int = 0
    fault: str = ""


class Judge:
    """Compares a canary with the stable group, window by window; may be asked after each, as often as one likes.

    Make a new one for each stage. It is deterministic and has no clock: the same windows give the same judgement.

    Args:
        params: what counts as worse, and how sure to be.
        metrics: all that is compared. Each has to speak for a promotion; one without data is a reason to wait.

    Example:
        >>> judge = Judge(JudgeParams(frame_block=1), ["errors"])
        >>> for _ in range(3):
        ...     judge.add(Window("errors", Counts(1, 900), Counts(80, 100)))
        >>> judge.judgement().verdict
        <Verdict.REJECT: 'reject'>
    """

    def __init__(self, params: JudgeParams, metrics: Sequence[str]) -> None:
        self._params, self._metrics = params, tuple(dict.fromkeys(metrics))
        self._seen: dict[str, _Seen] = {}
        if not self._metrics:
            raise DeploymentError("the judge", got="no metric", wanted="one or more to compare")

    def add(self, window: Window) -> None:
        """Take in one interval of one metric.

        What cannot be used (NaN, below 0, one group without data, only zeros) is not compared; until the next good
        window of this metric the judgement is undecided unless others reject.

        Raises:
            DeploymentError: the metric is not one of those announced, or was of another kind before.
        """
        if window.metric not in self._metrics:
            wanted = f"one of {', '.join(self._metrics)}"
            raise DeploymentError("a window for the judge", got=f"metric '{window.metric}'", wanted=wanted)
        made = metric_of(window, self._params)
        seen = self._seen.setdefault(window.metric, _Seen(made))
        kinds = {type(group) is Counts for group in (window.stable, window.canary)}
        if len(kinds) > 1 or type(made) is not type(seen.metric):
            what = f"a window of metric '{window.metric}'"
            raise DeploymentError(what, got="counts and values", wanted="one kind, always the same")
        seen.fault = fault_of(window)
        if not seen.fault:
            seen.metric.add(window)
            seen.windows += 1

    def judgement(self) -> Judgement:
        """What is to be done by what was seen up to now."""
        against = self._against()
        figures = {"evidence_against": _value(against), "evidence_wanted_against": 1 / self._params.alpha}
        for name, what, comparison in self._comparisons():
            figures |= _figures(f"{name}.{what}", comparison)
        if against >= -math.log(self._params.alpha):
            name, what, _ = max(self._comparisons(), key=lambda one: one[2].against)
            said = f"{name}: {self._seen[name].metric.describe(what)}; {_evidence(against, self._params.alpha)}"
            return Judgement(Verdict.REJECT, said, figures)
        missing = [f"{name}: {lack}" for name in self._metrics if (lack := self._lack(name))]
        if missing:
            return Judgement(Verdict.UNDECIDED, "; ".join(missing), figures)
        all_said = (f"{name}: {self._seen[name].metric.describe(what)}" for name, what, _ in self._comparisons())
        return Judgement(Verdict.PROMOTE, f"not worse than tolerated: {'; '.join(all_said)}", figures)

    def _comparisons(self) -> list[tuple[str, str, Comparison]]:
        return [
            (name, what, comparison)
            for name, seen in self._seen.items()
            for what, comparison in seen.metric.comparisons.items()
        ]

    def _against(self) -> float:
        """Logarithm of the evidence that any metric is worse: a mean of e-values is one, however they depend."""
        total = -math.inf
        for name in self._metrics:
            found = self._seen[name].metric.comparisons.values() if name in self._seen else ()
            parts = [comparison.against for comparison in found] or [0.0]
            total = _log_add(total, *(part - math.log(len(parts) * len(self._metrics)) for part in parts))
        return total

    def _lack(self, name: str) -> str:
        """What a metric still lacks to speak for a promotion, in words."""
        seen = self._seen.get(name)
        if seen is None:
            return "no data"
        if seen.fault:
            return seen.fault
        if seen.windows < self._params.least_windows:
            return f"{seen.windows} of {self._params.least_windows} windows"
        if not seen.metric.comparisons:
            return "too few stable values to compare with"
        what, least = min(seen.metric.comparisons.items(), key=lambda one: one[1].in_favour)
        if least.in_favour >= -math.log(self._params.beta):
            return ""
        return f"{seen.metric.describe(what)}; {_evidence(least.in_favour, self._params.beta)}"


def _evidence(log: float, chance: float) -> str:
    return f"evidence {_value(log):.2g} of {1 / chance:.3g} wanted"


def _figures(name: str, comparison: Comparison) -> dict[str, float]:
    return {
        f"{name}.stable": comparison.stable.share,
        f"{name}.canary": comparison.canary.share,
        f"{name}.stable_total": comparison.stable.total,
        f"{name}.canary_total": comparison.canary.total,
        f"{name}.evidence_against": _value(comparison.against),
        f"{name}.evidence_in_favour": _value(comparison.in_favour),
    }


def _value(log: float) -> float:
    """An e-value, with bounds that every log can print."""
    return math.exp(min(max(log, -50.0), 50.0))


def _log_add(*logs: float) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))
