"""How busy this machine is, for those who share out work."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

log = logging.getLogger(__name__)

_WEIGHT = 0.2  # of a new sample

# Per mille, on Jetson: JetPack 4 and 5, then 5 and 6.
_GPU_LOADS = (
    "/sys/devices/gpu.0/load",
    "/sys/devices/platform/gpu.0/load",
    "/sys/devices/platform/bus@0/17000000.gpu/load",
)


class LoadSampler:
    """Samples the machine now and then, on a thread of its own: nobody who decides about a frame waits for /proc.

    Loads are smoothed (each sample counts a fifth): a load falls as soon as frames go elsewhere, and whoever decides by
    the bare samples swings.

    Args:
        told: takes CPU, GPU and memory load, 0 to 1 each, and the temperature of the hottest sensor in degrees Celsius;
            NaN where this machine cannot say.
        period: seconds between two samples.
        gpu_files: where the kernel tells the GPU's load in per mille; the first that is there.
    """

    def __init__(
        self,
        told: Callable[[float, float, float, float], None],
        period: float = 0.5,
        gpu_files: tuple[str, ...] = _GPU_LOADS,
    ) -> None:
        self._told, self._period = told, period
        self._gpu = next((path for path in map(Path, gpu_files) if path.is_file()), None)
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; does nothing while it runs."""
        if self._thread is None:
            self._end.clear()
            self._thread = threading.Thread(target=self._run, name="load", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; harmless twice."""
        thread, self._thread = self._thread, None
        self._end.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        smooth: tuple[float, ...] | None = None
        with suppress(Exception):
            psutil.cpu_percent()  # the first one of a thread tells nothing, or of the time since boot
        while not self._end.wait(self._period):
            try:
                now = (psutil.cpu_percent() / 100, self._gpu_load(), psutil.virtual_memory().percent / 100, hottest())
                smooth = now if smooth is None else tuple(map(_smoothed, smooth, now))
                self._told(*smooth)
            except Exception:
                log.exception("sampling the load failed")

    def _gpu_load(self) -> float:
        if self._gpu is None:
            return math.nan
        try:
            return int(self._gpu.read_text()) / 1000
        except (OSError, ValueError):
            return math.nan


def _smoothed(before: float, now: float) -> float:
    return now if math.isnan(before) or math.isnan(now) else before + _WEIGHT * (now - before)


def hottest() -> float:
    """Temperature of the hottest sensor in degrees Celsius; NaN: none can be read."""
    sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
    readings = [one.current for group in sensors.values() for one in group if one.current is not None]
    return max(readings, default=math.nan)
