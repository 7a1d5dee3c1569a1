"""Readings as people say them: with a unit, and in its handiest multiple."""

from __future__ import annotations

import math
from collections.abc import Callable

_SHARES = {"cpu", "memory", "swap", "gpu", "disk"}  # of the machine; a node's memory is in bytes, its cpu in cores
_BYTES = {"memory", "memory_used", "memory_total", "gpu_memory_used", "gpu_memory_total", "disk_free"}
_RATES = {"rate", "fps", "dropped", "failed", "commands", "refused"}
_SPANS = {"age", "processing", "late", "cloud_latency"}


def spoken(metric: str, value: float, places: int = 0) -> str:
    """A value with its unit: "87 %", "85.3 °C", "12.0 ms", "1.5 GiB"; a dash where it cannot be read.

    Args:
        metric: a name of doc/watching.md; one that nobody foresaw is a bare number.
        value: in SI units.
        places: of a percentage behind the point.
    """
    if math.isnan(value):
        return "-"
    group, last = metric.partition("/")[0], metric.rpartition("/")[2]
    if metric in _SHARES or group == "fan" or last.endswith("_share") or (group == "cpu" and last.isdigit()):
        return f"{value * 100:.{places}f} %"
    say = _OF_ALL.get(metric) or _OF_GROUPS.get(group) or _by_last(last)
    return say(value)


def _by_last(last: str) -> Callable[[float], str]:
    if last in _SPANS or last.endswith(("_p50", "_p95", "_p99")):
        return lambda value: f"{value * 1e3:.1f} ms"
    if last in _BYTES:
        return _bytes
    if last in _RATES:
        return lambda value: f"{value:.1f}/s"
    return _flow if last == "bandwidth" else _plain


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def _flow(value: float) -> str:
    return f"{_bytes(value)}/s"


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _hertz(value: float) -> str:
    return f"{value / 1e6:.0f} MHz"


_OF_ALL: dict[str, Callable[[float], str]] = {
    "throttled": lambda value: ("no", "yes")[int(value)] if value in (0, 1) else _plain(value),  # a mean is neither
    "monitor/load": lambda value: f"{value:.4f} cores",
}
_OF_GROUPS: dict[str, Callable[[float], str]] = {
    "temperature": lambda value: f"{value:.1f} °C",
    "power": lambda value: f"{value:.2f} W",
    "network": _flow,
    "clock": _hertz,
    "engine": _hertz,
}
