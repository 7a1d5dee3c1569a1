"""NVIDIA GPUs through their driver, with nvidia-ml-py: those of PCs and of Jetson Thor."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.readings import Readings
from edge_ai.platforms import device_tree
from edge_ai.platforms.nvml import answer, library

_DRIVERS = ("proc/driver/nvidia/version", "dev/nvidiactl", "dev/nvidia0", "dev/dxg")  # the last one: Windows' Linux
_HELD_DOWN = 0x08 | 0x20 | 0x40 | 0x80
"""Reasons for lower clocks: hardware slowdown, heat in software and in hardware, power brake. Not the cap on power,
which a GPU at work always reaches."""


class NvmlProbe:
    """Load, memory, temperature, power, clock and fan. Of several GPUs the busiest, the fullest, the hottest."""

    name = "NVML"

    def __init__(self, root: Path = Path("/")) -> None:
        self._held = contextlib.ExitStack()
        self._nvml: Any = None
        self._gpus: list[Any] = []

    @classmethod
    def unfit(cls, root: Path) -> str:
        tree = device_tree.read(root)
        if tree is not None and tree.soc.startswith("tegra") and tree.soc != "tegra264":
            return "the driver of a Jetson before Thor tells only its name; sysfs has the rest"
        if not any((root / path).exists() for path in _DRIVERS):
            return "no driver of NVIDIA"
        if importlib.util.find_spec("pynvml") is None:
            return "nvidia-ml-py is not installed (python3 -m pip install nvidia-ml-py)"
        return ""

    def open(self) -> None:
        self._nvml = self._held.enter_context(library())
        self._gpus = [self._nvml.nvmlDeviceGetHandleByIndex(n) for n in range(self._nvml.nvmlDeviceGetCount())]

    def read(self) -> Readings:
        each = [self._look(gpu) for gpu in self._gpus]
        if not any(each):
            raise EdgeAIError("NVML", got="no answer of any GPU", mend="nvidia-smi says what is wrong with the driver")
        fullest = max(each, key=lambda one: one.get("gpu_memory_used", 0.0) / one.get("gpu_memory_total", 1.0))
        memory = {name: value for name, value in fullest.items() if name.startswith("gpu_memory")}
        rest = {name for one in each for name in one} - memory.keys()
        readings = {name: max(one[name] for one in each if name in one) for name in rest} | memory
        watts = [one["power/gpu"] for one in each if "power/gpu" in one]
        return {**readings, "power/gpu": sum(watts)} if watts else readings

    def texts(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        self._gpus = []
        self._held.close()

    def _look(self, gpu: Any) -> dict[str, float]:
        nvml = self._nvml
        readings: dict[str, float] = {}
        load = answer(nvml, nvml.nvmlDeviceGetUtilizationRates, gpu)
        if load is not None:
            readings["gpu"] = load.gpu / 100
        memory = answer(nvml, nvml.nvmlDeviceGetMemoryInfo, gpu)
        if memory is not None and memory.total:
            readings |= {"gpu_memory_used": float(memory.used), "gpu_memory_total": float(memory.total)}
        celsius = answer(nvml, nvml.nvmlDeviceGetTemperature, gpu, nvml.NVML_TEMPERATURE_GPU)
        if celsius is not None:
            readings["temperature/gpu"] = float(celsius)
        for name, question, argument, scale in (
            ("power/gpu", nvml.nvmlDeviceGetPowerUsage, (), 1e-3),
            ("clock/gpu", nvml.nvmlDeviceGetClockInfo, (nvml.NVML_CLOCK_SM,), 1e6),
            ("fan/gpu", nvml.nvmlDeviceGetFanSpeed, (), 1e-2),
        ):
            value = answer(nvml, question, gpu, *argument)
            if value is not None:
                readings[name] = value * scale
        reasons = answer(nvml, nvml.nvmlDeviceGetCurrentClocksThrottleReasons, gpu)
        return readings if reasons is None else {**readings, "throttled": float(bool(reasons & _HELD_DOWN))}
