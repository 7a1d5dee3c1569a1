"""A condition that needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the numbers of msg/Alert.msg."""

    WARN = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule that was broken, or is well again.

    Attributes:
        name: of the rule.
        level: how bad.
        message: what was measured against what limit, in words.
        since_ns: ROS time when it began, ns since the epoch.
        active: False in the one event that says it is over.
        metric: what the rule looks at.
        value: of the metric, when this was said; NaN: it cannot be read any more.
        limit: that it is held against.
        mitigation: what was done about it; empty: nothing yet.
    """

    name: str
    level: Level
    message: str
    since_ns: int
    active: bool = True
    metric: str = ""
    value: float = float("nan")
    limit: float = float("nan")
    mitigation: str = ""
