"""How busy this machine is, for those who share out work."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence

from edge_ai.core.clock import SystemClock
from edge_ai.monitoring.probes.base import Probe
from edge_ai.monitoring.probes.registry import find
from edge_ai.monitoring.readings import Readings
from edge_ai.monitoring.sampler import Sampler

log = logging.getLogger(__name__)

_WEIGHT = 0.2  # of a new sample
_NAMES = ("cpu", "gpu", "memory", "temperature")
_SOURCES = ("NVML", "sysfs", "psutil")  # not jetson-stats: what it has of these four, sysfs has, and without a service


class LoadSampler:
    """Samples the machine now and then, on a thread of its own: nobody who decides about a frame waits for /proc.

    Loads are smoothed (each sample counts a fifth): a load falls as soon as frames go elsewhere, and whoever decides by
    the bare samples swings.

    Args:
        told: takes CPU, GPU and memory load, 0 to 1 each, and the temperature of the hottest sensor in degrees Celsius;
            NaN where this machine cannot say.
        period: seconds between two samples.
        probes: what to ask; None: this machine.
    """

    def __init__(
        self,
        told: Callable[[float, float, float, float], None],
        period: float = 0.5,
        probes: Sequence[Probe] | None = None,
    ) -> None:
        self._told, self._period, self._probes = told, period, probes
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
        probes = find(names=_SOURCES).probes if self._probes is None else self._probes
        sampler = Sampler(probes, SystemClock(), period=self._period)
        smooth: tuple[float, ...] | None = None
        sampler.collect()  # loads are means since the look before
        while not self._end.wait(self._period):
            try:
                now = _four(sampler.collect().readings)
                smooth = now if smooth is None else tuple(map(_smoothed, smooth, now))
                self._told(*smooth)
            except Exception:
                log.exception("sampling the load failed")
        sampler.stop()


def _four(readings: Readings) -> tuple[float, ...]:
    return tuple(readings.get(name, math.nan) for name in _NAMES)


def _smoothed(before: float, now: float) -> float:
    return now if math.isnan(before) or math.isnan(now) else before + _WEIGHT * (now - before)
