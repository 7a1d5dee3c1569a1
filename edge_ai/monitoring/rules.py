"""When a reading is a matter for alarm."""

from __future__ import annotations

from dataclasses import dataclass

from edge_ai.monitoring.alert import Level
from edge_ai.monitoring.params import MonitorParams


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit for one metric.

    Attributes:
        name: of the alert.
        metric: what is looked at.
        limit: that is not to be passed.
        clear: the value at which all is well again; between this and the limit an alert stays as it is.
        below: the limit is the least value allowed; else it is the greatest.
        after: how long the limit is passed before the alert is raised, s.
        clear_after: how long all is well before it is cleared, s.
        level: how bad it is.
    """

    name: str
    metric: str
    limit: float
    clear: float
    below: bool = False
    after: float = 2.0
    clear_after: float = 2.0
    level: Level = Level.WARN

    def broken(self, value: float) -> bool:
        """Whether the limit is passed."""
        return value < self.limit if self.below else value > self.limit

    def well(self, value: float) -> bool:
        """Whether the value is back on the good side, by the hysteresis."""
        return value >= self.clear if self.below else value <= self.clear


def own_rules(params: MonitorParams) -> list[Rule]:
    """The rules that every monitor has, as its parameters set them; those that are switched off are left out."""
    limits = {
        "cpu": params.alert_cpu,
        "memory": params.alert_memory,
        "gpu": params.alert_gpu,
        "temperature": params.alert_temperature,
    }
    rules = [_rule(params, name, name, limit) for name, limit in limits.items() if limit]
    # Without a target there is no such reading, and the rule rests.
    return [*rules, _rule(params, "fps", "fps_share", 1 - params.alert_fps, below=True)]


def _rule(params: MonitorParams, name: str, metric: str, limit: float, *, below: bool = False) -> Rule:
    hysteresis = params.alert_hysteresis
    return Rule(
        name,
        metric,
        limit,
        # The camera may give no more than the target: more than all of it cannot be asked for.
        clear=min(limit * (1 + hysteresis), max(limit, 0.99)) if below else limit * (1 - hysteresis),
        below=below,
        after=params.alert_after,
        clear_after=params.alert_clear_after,
        level=Level.ERROR if name in params.alert_errors else Level.WARN,
    )
