"""What the kernel tells in files: temperatures, GPU, power rails, clocks, fans, throttling. Needs no service."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes import sensors
from edge_ai.monitoring.probes.sensors import Sensor
from edge_ai.monitoring.readings import Readings
from edge_ai.platforms import device_tree, software
from edge_ai.platforms.boards import jetpack_of

_COLDEST, _HOTTEST = -100.0, 250.0
"""What lies beyond is no temperature: a Jetson's sensor that is off says -256."""
_LOOKS = 60  # looks between two searches for files: disks and drivers come and go
_GPU_HOLDS = re.compile(rb"^NvMapMemUsed:\s+(\d+) kB", re.MULTILINE)
_IN_ALL = re.compile(rb"^MemTotal:\s+(\d+) kB", re.MULTILINE)


class SysfsProbe:
    """Reads the files that there are; one that cannot be read just now is left out. Looks for new ones now and then.

    Args:
        root: of the file system; a test gives a made-up tree.
    """

    name = "sysfs"

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._looks = 0
        self._sensors: list[Sensor] = []
        self._throttles: list[Sensor] = []
        self._counters: dict[Sensor, float | None] = {}
        self._texts: dict[str, str] = {}
        self._jetson = False

    @classmethod
    def unfit(cls, root: Path) -> str:
        return "" if (root / "sys/class").is_dir() else "this system has no /sys"

    def open(self) -> None:
        self._looks, self._counters = 0, {}
        self._identify()

    def read(self) -> Readings:
        if self._looks % _LOOKS == 0:
            self._find()
        self._looks += 1
        readings: dict[str, float] = {}
        for sensor in self._sensors:
            value = sensor.read()
            if value is not None and _sound(sensor.name, value):
                readings[sensor.name] = max(value, readings.get(sensor.name, value))
        if self._sensors and not readings:
            raise EdgeAIError("sysfs", got="none of the files that were there", wanted="sensors")
        return {**readings, **_whole_board(readings), **self._gpu_memory(), **self._throttled()}

    def texts(self) -> Mapping[str, str]:
        mode = software.power_mode(self._root) if self._jetson else ""
        return {**self._texts, "power_mode": mode} if mode else self._texts

    def close(self) -> None:
        pass

    def _find(self) -> None:
        kinds = (sensors.temperatures, sensors.gpu, sensors.rails, sensors.fans, sensors.cpu_clocks)
        self._sensors = [sensor for kind in kinds for sensor in kind(self._root)]
        self._throttles = sensors.throttles(self._root)
        counters = sensors.throttle_counters(self._root)
        self._counters = {sensor: self._counters.get(sensor, sensor.read()) for sensor in counters}

    def _identify(self) -> None:
        """The board and its JetPack. No serial number is read."""
        tree = device_tree.read(self._root)
        self._jetson = tree is not None and tree.soc.startswith("tegra")
        if tree is None or not self._jetson:
            self._texts = {"board": (tree.model if tree else "") or f"{platform.machine()} PC"}
            return
        memory = self._memory(_IN_ALL)
        board, _ = device_tree.identify(tree, int(memory or 1))
        jetpack, _ = jetpack_of(software.l4t(self._root))
        texts = {"board": board.name if board else tree.model, "jetpack": jetpack}
        self._texts = {name: text for name, text in texts.items() if text}

    def _gpu_memory(self) -> dict[str, float]:
        """What the GPU holds of the memory that it shares; only kernels of Jetsons say."""
        used = self._memory(_GPU_HOLDS) if self._jetson else None
        total = self._memory(_IN_ALL) if used is not None else None
        return {} if used is None or total is None else {"gpu_memory_used": used, "gpu_memory_total": total}

    def _memory(self, line: re.Pattern[bytes]) -> float | None:
        try:
            match = line.search((self._root / "proc/meminfo").read_bytes())
        except OSError:
            return None
        return int(match[1]) * 1024.0 if match else None

    def _throttled(self) -> dict[str, float]:
        states = [sensor.read() for sensor in self._throttles]
        held = any((state or 0) > 0 for state in states)
        for sensor, before in self._counters.items():
            now = self._counters[sensor] = sensor.read()
            held |= now is not None and before is not None and now > before
        return {"throttled": float(held)} if states or self._counters else {}


def _sound(name: str, value: float) -> bool:
    return not name.startswith("temperature/") or _COLDEST < value < _HOTTEST


def _whole_board(readings: Mapping[str, float]) -> dict[str, float]:
    power = {name.partition("/")[2]: value for name, value in readings.items() if name.startswith("power/")}
    if not power:
        return {}
    return {"power": next((power[name] for name in sensors.TOTALS if name in power), sum(power.values()))}
