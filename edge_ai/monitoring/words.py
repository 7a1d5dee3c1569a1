"""Readings as people say them: with a unit, and in its handiest multiple."""

from __future__ import annotations

import math

_SHARES = {"cpu", "memory", "swap", "gpu", "disk"}  # of the machine; a node's memory is in bytes, its cpu in cores
_BYTES = {"memory", "memory_used", "memory_total", "gpu_memory_used", "gpu_memory_total", "disk_free"}
_RATES = {"rate", "fps", "dropped", "failed", "commands", "refused"}
_SPANS = {"age", "processing", "late", "cloud_latency"}


def spoken(metric: str, value: float) -> str:
    """A value with its unit: "87 %", "85.3 °C", "12.0 ms", "1.5 GiB"; a dash where it cannot be read.

    Args:
        metric: a name of doc/watching.md; one that nobody foresaw is a bare number.
        value: in SI units.
    """
    if math.isnan(value):
        return "-"
    group, last = metric.partition("/")[0], metric.rpartition("/")[2]
    if metric in _SHARES or group == "fan" or last.endswith("_share") or (group == "cpu" and last.isdigit()):
        return f"{value * 100:.0f} %"
    if group == "temperature":
        return f"{value:.1f} °C"
    if group == "power":
        return f"{value:.2f} W"
    if last in _SPANS or last.endswith(("_p50", "_p99")):
        return f"{value * 1e3:.1f} ms"
    if last in _BYTES:
        return _bytes(value)
    if last in _RATES:
        return f"{value:.1f}/s"
    if group == "network" or last == "bandwidth":
        return f"{_bytes(value)}/s"
    if group == "clock":
        return f"{value / 1e6:.0f} MHz"
    return f"{value:.3g}"


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
