"""The machine that was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

_LIBRARIES = (
    "edge_ai",
    "numpy",
    "opencv-python-headless",
    "onnxruntime",
    "ros-jazzy-rclpy",
    "ros-jazzy-rmw-fastrtps-cpp",
)


def describe() -> dict[str, Any]:
    """Processor, memory, system and library versions, and how busy the machine is at this moment."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "libraries": {name: version for name in _LIBRARIES if (version := _version(name))},
        "load_before": [round(load, 2) for load in psutil.getloadavg()],
    }


class Neighbours:
    """How much of the processors goes to anything but us and our children, from now on."""

    def __init__(self) -> None:
        self._since, self._before = time.monotonic(), _foreign_seconds()

    def cores(self) -> float:
        """Processors kept busy by others, on average since then; time that a hypervisor took away counts, too."""
        return round(max(0.0, _foreign_seconds() - self._before) / max(time.monotonic() - self._since, 1e-9), 2)


def _foreign_seconds() -> float:
    times = psutil.cpu_times()
    busy = ("user", "nice", "system", "irq", "softirq", "steal")
    return sum(float(getattr(times, name, 0.0)) for name in busy) - own_seconds()


def own_seconds() -> float:
    """Processor time that this process and all those it has started and that still run have used so far."""
    ours = psutil.Process()
    return seconds_used([ours.pid, *(child.pid for child in ours.children(recursive=True))])


def seconds_used(pids: Iterable[int]) -> float:
    """Processor time, user and system, that processes have used so far; one that is gone counts nothing."""
    used = 0.0
    for pid in pids:
        try:
            used += sum(psutil.Process(pid).cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return used


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return next(iter(names), platform.processor())


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def holdings(pid: int) -> dict[str, float]:
    """What a process holds: ``rss_mib`` of memory, ``fds`` (file descriptors) and ``threads``; NaN if it is gone."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            rss, fds, threads = process.memory_info().rss, process.num_fds(), process.num_threads()
    except psutil.Error:
        return dict.fromkeys(("rss_mib", "fds", "threads"), float("nan"))
    return {"rss_mib": rss / 2**20, "fds": fds, "threads": threads}
