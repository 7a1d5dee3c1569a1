"""A Jetson's own figures through the service of jetson-stats. Optional: sysfs has most of them, by the same names."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes.sensors import zone_name
from edge_ai.monitoring.readings import Readings
from edge_ai.platforms import device_tree, jetson_service

_SILENT = 3.0
"""Seconds without news after which the service counts as silent: it goes on giving its last answer when it is stuck."""
_OFFLINE = -200.0
_LEAST_KHZ = 10_000  # what is less is in MHz: jetson-stats hands NVML's clocks on as they are


class JetsonProbe:
    """GPU, engines, temperatures, rails, fans and the power mode; what psutil measures as well is left to it."""

    name = "jetson-stats"

    def __init__(self, root: Path = Path("/")) -> None:
        self._held = contextlib.ExitStack()
        self._service: Any = None
        self._uptime: Any = None
        self._news = 0.0
        self.cpu_ns = 0

    @classmethod
    def unfit(cls, root: Path) -> str:
        tree = device_tree.read(root)
        if tree is None or not tree.soc.startswith("tegra"):
            return "this is no Jetson"
        if importlib.util.find_spec("jtop") is None:
            return "not installed (sudo pip3 install jetson-stats); sysfs has most of its figures"
        return ""

    def open(self) -> None:
        self._service = self._held.enter_context(jetson_service.connect())
        self._service.attach(self._count)
        self._uptime, self._news = None, time.monotonic()

    def read(self) -> Readings:
        service = self._service
        if not service.ok(spin=True):
            raise EdgeAIError("jetson-stats", got="an end of its answers", mend="systemctl restart jtop")
        self._listen(service.uptime)
        readings: dict[str, float] = {}
        for part in (_gpu, _memory, _temperatures, _power, _fans, _engines):
            readings.update((name, value) for name, value in part(service) if math.isfinite(value))
        return readings

    def texts(self) -> Mapping[str, str]:
        """Only the mode: the library looks for versions of software before it tells the board, and takes its time."""
        mode = getattr(self._service.nvpmodel, "name", "")
        return {"power_mode": str(mode)} if mode else {}

    def close(self) -> None:
        self._service = None
        self._held.close()

    def _listen(self, uptime: Any) -> None:
        """Tell a service that is stuck, and gives the same answer again and again, from one that works."""
        now = time.monotonic()
        if uptime != self._uptime:
            self._uptime, self._news = uptime, now
        elif now - self._news > _SILENT:
            mend = "systemctl restart jtop; it is known to get stuck when the processor is busy"
            raise EdgeAIError("jetson-stats", got=f"no news for {now - self._news:.0f} s", mend=mend)

    def _count(self, _: Any) -> None:
        """Called by jtop's own thread after each answer."""
        self.cpu_ns = time.thread_time_ns()


def _gpu(service: Any) -> Iterator[tuple[str, float]]:
    for gpu in list(service.gpu.values())[:1]:
        status, clock = gpu.get("status") or {}, gpu.get("freq") or {}
        if status.get("load") is not None:
            yield "gpu", min(max(status["load"] / 100, 0.0), 1.0)
        if clock.get("cur"):
            yield "clock/gpu", clock["cur"] * (1e3 if clock["cur"] >= _LEAST_KHZ else 1e6)


def _memory(service: Any) -> Iterator[tuple[str, float]]:
    """What the GPU holds of the memory that it shares, in KB there."""
    memory = service.memory.get("RAM") or {}
    if memory.get("shared") is not None and memory.get("tot"):
        yield "gpu_memory_used", memory["shared"] * 1024.0
        yield "gpu_memory_total", memory["tot"] * 1024.0


def _temperatures(service: Any) -> Iterator[tuple[str, float]]:
    for zone, state in service.temperature.items():
        if state.get("online", True) and state["temp"] > _OFFLINE:
            yield f"temperature/{zone_name(zone)}", float(state["temp"])


def _power(service: Any) -> Iterator[tuple[str, float]]:
    """Milliwatts there. A rail that feeds the whole module stands apart from the others, under its name."""
    power = service.power or {}
    for rail, state in (power.get("rail") or {}).items():
        if state.get("online", True):
            yield f"power/{rail}", state["power"] / 1e3
    total = power.get("tot") or {}
    if total.get("power") is not None:
        yield "power", total["power"] / 1e3
        if total.get("name"):
            yield f"power/{total['name']}", total["power"] / 1e3


def _fans(service: Any) -> Iterator[tuple[str, float]]:
    for fan, state in service.fan.items():
        for number, speed in enumerate(state.get("speed") or ()):
            yield f"fan/{fan}{number + 1 if number else ''}", speed / 100


def _engines(service: Any) -> Iterator[tuple[str, float]]:
    """Their clocks while they are on, else 0."""
    for group in service.engine.values():
        for engine, state in group.items():
            yield f"engine/{engine.lower()}", state.get("cur", 0) * 1e3 if state.get("online") else 0.0
