"""What a step of the ladder brought, and what undoing it would therefore cost."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.words import spoken

OF_INTEREST = ("fps", "fps_share", "age", "processing", "cpu", "gpu", "memory", "temperature", "power")
_SAMPLES = 3
_BUSY, _CALM = 0.9, 0.75  # loads of a processor that has no time left, and of one that has again


class Recent:
    """The median of the last three samples: one outlier decides nothing."""

    def __init__(self) -> None:
        self._samples: deque[Readings] = deque(maxlen=_SAMPLES)

    def add(self, readings: Readings) -> None:
        """Take a sample."""
        self._samples.append(readings)

    def clear(self) -> None:
        """Forget what was: the robot is another one now."""
        self._samples.clear()

    def medians(self, metrics: Iterable[str]) -> dict[str, float]:
        """Of those metrics that could be read."""
        found = {}
        for metric in metrics:
            values = [value for sample in self._samples if not math.isnan(value := sample.get(metric, math.nan))]
            if values:
                found[metric] = statistics.median(values)
        return found


@dataclass(frozen=True, slots=True)
class Effect:
    """What was measured before a step was taken, and at the end of its dwell time; empty until then."""

    before: Readings = field(default_factory=dict)
    after: Readings = field(default_factory=dict)

    def words(self) -> str:
        """Both in one line."""
        both = [metric for metric in self.before if metric in self.after and metric != "fps_share"]
        changes = (
            f"{metric} {spoken(metric, self.before[metric])} -> {spoken(metric, self.after[metric])}" for metric in both
        )
        return ", ".join(changes) or "nothing could be measured"


def without(rule: Rule, effect: Effect, now: Readings) -> float:
    """What the rule's metric would be, were the step undone now; NaN: the measurements do not tell.

    A rate that is too low comes from work that takes too long: undone, the robot would give what it gave before, by as
    much more as the same work has got quicker since. Of any other metric the improvement is taken back.
    """
    if rule.metric == "fps_share":
        return _share_without(effect, now)
    value, before, after = (readings.get(rule.metric, math.nan) for readings in (now, effect.before, effect.after))
    if math.isnan(before) or math.isnan(after):
        return math.nan
    return value - max(after - before, 0.0) if rule.below else value + max(before - after, 0.0)


def _share_without(effect: Effect, now: Readings) -> float:
    fps, share, processing = (now.get(name, 0.0) for name in ("fps", "fps_share", "processing"))
    before, after = effect.before.get("fps", math.nan), effect.after.get("processing", math.nan)
    if not fps or not processing:
        return math.nan
    return before * (after / processing) * (share / fps)


def speaks_against(rule: Rule, effect: Effect, now: Readings, margin: float) -> str:
    """Why the step should not be undone now, in words; empty: nothing measured says so.

    Args:
        rule: whose alert the step was taken for.
        effect: of the step.
        now: the readings.
        margin: by how much a rate must pass its target, as a part of it.
    """
    value = without(rule, effect, now)
    if math.isnan(value):
        return ""
    is_rate = rule.metric == "fps_share"
    fine = value >= 1 + margin or _load_is_gone(effect, now) if is_rate else rule.well(value)
    return "" if fine else f"undone, {rule.metric} would be about {spoken(rule.metric, value)}"


def _load_is_gone(effect: Effect, now: Readings) -> bool:
    """A processor that was busy in spite of the step no longer is: somebody else's load has ended.

    How much a step brought is seldom measured well while a load is just beginning; that it has ended is plain.
    """
    return any(effect.after.get(name, 0.0) >= _BUSY and now.get(name, 1.0) <= _CALM for name in ("cpu", "gpu"))
