"""The line in the log that says how the robot has fared."""

from __future__ import annotations

from collections.abc import Iterable

from edge_ai.monitoring.report import Report
from edge_ai.monitoring.words import spoken

_WHOLE = ("fps", "age", "processing")
_MACHINE = ("cpu", "gpu", "memory", "temperature", "power", "monitor/load")
METRICS = (*_WHOLE, *_MACHINE)
"""What the line is made from."""


def line(report: Report, alerts: Iterable[str] = (), steps: Iterable[str] = ()) -> str:
    """One line: means of the while, the highest in brackets where it matters; what cannot be read is left out.

    Args:
        report: of the last while.
        alerts: names of those that are active.
        steps: names of the ladder's steps that are taken.
    """
    rows = {row.name: row for row in report.rows}
    whole = [f"{name} {spoken(name, rows[name].mean)}" for name in _WHOLE if name in rows]
    machine = [
        f"{name} {spoken(name, rows[name].mean)} ({spoken(name, rows[name].maximum)})"
        for name in _MACHINE
        if name in rows
    ]
    parts = [", ".join(whole), ", ".join(machine)]
    parts += [
        f"{what} {', '.join(names)}" for what, names in (("alerts", list(alerts)), ("steps", list(steps))) if names
    ]
    return " | ".join(part for part in parts if part) or "nothing could be measured"
