"""What every computer can say of itself: processors, memory, network. Through psutil, in four calls a look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from edge_ai.monitoring.readings import Readings

_VIRTUAL = ("lo", "veth", "docker", "br-", "virbr", "ifb", "dummy")
"""Beginnings of names of interfaces that carry nothing in or out."""
_NOT_BUSY = ("idle", "iowait")
_COUNTED_TWICE = ("guest", "guest_nice")  # Linux has them in user and nice as well


class SystemProbe:
    """Loads and rates are means since the look before, so the first look has none.

    Works them out itself: psutil's own `cpu_percent` has one memory for all its callers in a process.

    Args:
        root: ignored: psutil looks at the machine that it runs on.
        virtual: beginnings of names of network interfaces to leave out.
    """

    name = "psutil"

    def __init__(self, root: Path = Path("/"), virtual: tuple[str, ...] = _VIRTUAL) -> None:
        self._virtual = virtual
        self._cores: list[tuple[float, float]] = []
        self._network: dict[str, tuple[int, int]] = {}
        self._looked = 0.0

    @classmethod
    def unfit(cls, root: Path) -> str:
        return ""

    def open(self) -> None:
        self._cores = _cores()
        self._network, self._looked = self._traffic(), time.monotonic()

    def read(self) -> Readings:
        return {**self._load(), **_memory(), **self._rates()}

    def texts(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass

    def _load(self) -> dict[str, float]:
        before, self._cores = self._cores, _cores()
        if len(before) != len(self._cores):  # power modes of Jetsons switch cores off
            return {}
        spent = [(busy - was, all_ - had) for (busy, all_), (was, had) in zip(self._cores, before, strict=True)]
        total = sum(all_ for _, all_ in spent)
        loads = {f"cpu/{n}": _share(busy, all_) for n, (busy, all_) in enumerate(spent) if all_ > 0}
        return {"cpu": _share(sum(busy for busy, _ in spent), total), **loads} if total > 0 else {}

    def _rates(self) -> dict[str, float]:
        before, since = self._network, self._looked
        self._network, self._looked = self._traffic(), time.monotonic()
        seconds = self._looked - since
        if seconds <= 0:
            return {}
        rates: dict[str, float] = {}
        for name in self._network.keys() & before.keys():
            for way, now, was in zip(("rx", "tx"), self._network[name], before[name], strict=True):
                if now >= was:  # an interface that was set up anew counts from 0
                    rates[f"network/{name}/{way}"] = (now - was) / seconds
        return rates

    def _traffic(self) -> dict[str, tuple[int, int]]:
        """Bytes in and out of each interface so far; without those that never carried any."""
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        return {
            name: (one.bytes_recv, one.bytes_sent)
            for name, one in counters.items()
            if not name.startswith(self._virtual) and (one.bytes_recv or one.bytes_sent)
        }


def _cores() -> list[tuple[float, float]]:
    """Seconds busy, and seconds in all, of each core that is on."""
    return [_seconds(times) for times in psutil.cpu_times(percpu=True)]


def _seconds(times: Any) -> tuple[float, float]:
    seconds = times._asdict()
    total = sum(seconds.values()) - sum(seconds.get(name, 0.0) for name in _COUNTED_TWICE)
    return total - sum(seconds.get(name, 0.0) for name in _NOT_BUSY), total


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0)  # the kernel may put idle time right backwards


def _memory() -> dict[str, float]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    used = memory.total - memory.available
    readings = {"memory": used / memory.total, "memory_used": float(used), "memory_total": float(memory.total)}
    return {**readings, "swap": swap.used / swap.total} if swap.total else readings
