"""Which rules are broken: each alert raised once and cleared once, however the readings jitter."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edge_ai.core.clock import NS
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.rules import Rule
from edge_ai.monitoring.words import spoken


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule stands at one moment.

    Attributes:
        rule: that is looked at.
        active: whether its alert is raised.
        well_since_ns: steady time since when its value is read and on the good side; None: it is not.
    """

    rule: Rule
    active: bool
    well_since_ns: int | None


class Alerts:
    """Holds samples against rules, on the steady clock.

    Args:
        rules: names must differ.
        vanish_after: how long a value may be missing before its alert is given up, s. Until then a value that cannot
            be read neither raises nor clears.
    """

    def __init__(self, rules: Iterable[Rule], vanish_after: float) -> None:
        self._watches = {rule.name: _Watch(rule) for rule in rules}
        self._vanish_ns = round(vanish_after * NS)
        self._gone: list[Alert] = []

    def update(self, rules: Iterable[Rule], vanish_after: float) -> None:
        """Take over other limits; an alert whose rule is no more is cleared with the next sample."""
        before, self._watches = self._watches, {}
        for rule in rules:
            watch = before.pop(rule.name) if rule.name in before else _Watch(rule)
            watch.rule = rule
            self._watches[rule.name] = watch
        self._gone += [watch.over("the rule was switched off") for watch in before.values() if watch.alert]
        self._vanish_ns = round(vanish_after * NS)

    def look(self, sample: Sample) -> list[Alert]:
        """What this sample raises and clears; ``active`` tells which."""
        events, self._gone = self._gone, []
        for watch in self._watches.values():
            event = watch.look(sample, self._vanish_ns)
            if event is not None:
                events.append(event)
        return events

    @property
    def active(self) -> tuple[Alert, ...]:
        """The alerts raised and not cleared, oldest first."""
        raised = [watch.alert for watch in self._watches.values() if watch.alert]
        return tuple(sorted(raised, key=lambda alert: alert.since_ns))

    def standings(self) -> dict[str, Standing]:
        """How each rule stands, by name."""
        return {
            name: Standing(watch.rule, watch.alert is not None, watch.well_since)
            for name, watch in self._watches.items()
        }


class _Watch:
    """One rule and what was seen of its metric."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alert: Alert | None = None
        self.well_since: int | None = None
        self._broken_since: int | None = None
        self._began_ns = 0  # in ROS time
        self._seen: int | None = None

    def look(self, sample: Sample, vanish_ns: int) -> Alert | None:
        value, now = sample.readings.get(self.rule.metric, math.nan), sample.steady_ns
        if math.isnan(value):
            self.well_since = self._broken_since = None
            if self.alert and self._seen is not None and now - self._seen >= vanish_ns:
                return self.over(f"cannot be read for {(now - self._seen) / NS:.0f} s")
            return None
        self._seen = now
        if not self.rule.broken(value):
            self._broken_since = None
        elif self._broken_since is None:
            self._broken_since, self._began_ns = now, sample.stamp_ns
        if not self.rule.well(value):
            self.well_since = None
        elif self.well_since is None:
            self.well_since = now
        return self._turn(sample, value)

    def over(self, why: str, value: float = math.nan) -> Alert:
        """The event that ends the alert."""
        assert self.alert is not None
        before, self.alert = self.alert, None
        return Alert(
            before.name,
            before.level,
            f"{self.rule.metric}: {why}",
            before.since_ns,
            active=False,
            metric=self.rule.metric,
            value=value,
            limit=self.rule.limit,
        )

    def _turn(self, sample: Sample, value: float) -> Alert | None:
        now, rule = sample.steady_ns, self.rule
        if self.alert is None:
            if self._broken_since is None or now - self._broken_since < rule.after * NS:
                return None
            self.alert = self._raised(sample, value)
            return self.alert
        if self.well_since is None or now - self.well_since < rule.clear_after * NS:
            return None
        return self.over(f"{spoken(rule.metric, value)}, well again", value)

    def _raised(self, sample: Sample, value: float) -> Alert:
        rule = self.rule
        message = (
            f"{rule.metric} {spoken(rule.metric, value)} is {'below' if rule.below else 'above'} "
            f"{spoken(rule.metric, rule.limit)}"
        )
        if rule.metric == "fps_share" and "fps" in sample.readings:
            message += f" of the target: {sample.readings['fps']:.1f} results/s"
        return Alert(
            rule.name,
            rule.level,
            message,
            self._began_ns,
            metric=rule.metric,
            value=value,
            limit=rule.limit,
        )
