"""Files of the kernel with a number in each, and where they are on the boards that we know.

Every function takes the root of a file system and gives what is there; nothing is no error. Names of zones are those
that jetson-stats gives, so that one can stand in for the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TOTALS = ("VDD_IN", "POM_5V_IN")
"""Rails that the whole module is fed by; boards without one of them have the sum of their rails."""
_GPUS = re.compile(r"gpu|gm20b|gp10b|gv11b|ga10b|gb10b")
_VIDEO = "nvd"  # the domain of the video engines on Thor
_OLD_GPU_LOADS = (
    "sys/devices/gpu.0/load",
    "sys/devices/platform/gpu.0/load",
    "sys/devices/platform/17000000.gpu/load",
    "sys/devices/platform/bus@0/17000000.gpu/load",
)
_MADE_UP = re.compile(r"pmic", re.IGNORECASE)
"""Zones that no sensor is behind: the power chip of Nano and TX2 always says 50 or 100 degrees."""
_UNUSED = re.compile(r"\bNC\b|sum of shunt", re.IGNORECASE)
_HOLDS_DOWN = re.compile(r"throttle-alert$|^(thermal-)?(cpufreq|devfreq)-|^[cg]pu[-_](balanced|heavy)|^Processor$")
"""Cooling devices that lower clocks; a fan, or the alert of a hot surface, does not."""
_MOST = 64  # sensors of one kind: a server has some for each of its cores


@dataclass(frozen=True, slots=True)
class Sensor:
    """A number: the product of what stands in its files, times a scale.

    Attributes:
        name: of the reading.
        files: one each factor.
        scale: to SI units.
    """

    name: str
    files: tuple[Path, ...]
    scale: float = 1.0

    def read(self) -> float | None:
        """Its value now; None: it cannot be read, as a sensor that is switched off."""
        value = self.scale
        for file in self.files:
            try:
                with open(file, "rb", buffering=0) as opened:
                    value *= int(opened.read(64))
            except (OSError, ValueError):
                return None
        return value


def temperatures(root: Path) -> list[Sensor]:
    """``temperature/<zone>`` in degrees Celsius: thermal zones, then what drivers of chips and disks offer."""
    found: dict[str, Sensor] = {}
    for zone in _folders(root, "sys/class/thermal", "thermal_zone*"):
        _keep(found, _text(zone / "type"), zone / "temp")
    for chip in _folders(root, "sys/class/hwmon", "*"):
        for file in sorted(chip.glob("temp*_input")):
            label = _text(chip / file.name.replace("_input", "_label"))
            _keep(found, " ".join(filter(None, (_text(chip / "name"), label))), file)
    return list(found.values())[:_MOST]


def gpu(root: Path) -> list[Sensor]:
    """Load and clock of the GPU, and the memory of one that has its own."""
    found: list[Sensor] = []
    devices = [d for d in _folders(root, "sys/class/devfreq", "*") if _GPUS.search(d.name) and _VIDEO not in d.name]
    loads = [device / "device" / "load" for device in devices] + [root / path for path in _OLD_GPU_LOADS]
    found += [Sensor("gpu", (path,), 1e-3) for path in loads if path.is_file()][:1]
    found += [Sensor("clock/gpu", (device / "cur_freq",)) for device in devices if (device / "cur_freq").is_file()][:1]
    for card in _folders(root, "sys/class/drm", "card[0-9]"):  # AMD's driver
        files = {"gpu": "gpu_busy_percent", "gpu_memory_used": "mem_info_vram_used"}
        files["gpu_memory_total"] = "mem_info_vram_total"
        for name, file in files.items():
            path = card / "device" / file
            if path.is_file():
                found.append(Sensor(name, (path,), 1e-2 if name == "gpu" else 1.0))
    return found


def cpu_clocks(root: Path) -> list[Sensor]:
    """``clock/cpu`` in Hz, one each group of cores that are clocked together."""
    policies = _folders(root, "sys/devices/system/cpu/cpufreq", "policy*")
    files = [policy / "scaling_cur_freq" for policy in policies]
    return [Sensor("clock/cpu", (file,), 1e3) for file in files if file.is_file()][:8]


def fans(root: Path) -> list[Sensor]:
    """``fan/<name>``: how hard each is driven, 0 to 1."""
    found: list[Sensor] = []
    for chip in _folders(root, "sys/class/hwmon", "*"):
        for number, file in enumerate(sorted(chip.glob("pwm[0-9]"))):
            name = _text(chip / "name") or chip.name
            found.append(Sensor(f"fan/{name}{number + 1 if number else ''}", (file,), 1 / 255))
    old = root / "sys/devices/pwm-fan/cur_pwm"
    if not found and old.is_file():
        found.append(Sensor("fan/pwm-fan", (old,), 1 / 255))
    return found


def rails(root: Path) -> list[Sensor]:
    """``power/<rail>`` in W: INA3221 chips, as JetPack 5 and later show them, else as JetPack 4 does."""
    found: list[Sensor] = []
    for chip in _folders(root, "sys/class/hwmon", "*"):
        if _text(chip / "name").startswith("ina3221"):
            found += [_rail(label, chip) for label in sorted(chip.glob("in[1-3]_label"))]
    for chip in _folders(root, "sys/bus/i2c/drivers/ina3221x", "*/iio:device*"):
        for label in sorted(chip.glob("rail_name_[0-9]")):
            power = chip / f"in_power{label.name[-1]}_input"
            found.append(Sensor(f"power/{_text(label)}", (power,), 1e-3))
    return [rail for rail in found if not _UNUSED.search(rail.name) and all(file.is_file() for file in rail.files)]


def throttles(root: Path) -> list[Sensor]:
    """Above 0 while the kernel or the firmware holds clocks down for heat."""
    devices = _folders(root, "sys/class/thermal", "cooling_device*")
    holding = [device for device in devices if _HOLDS_DOWN.search(_text(device / "type"))]
    return [Sensor("throttled", (device / "cur_state",)) for device in holding[:_MOST]]


def throttle_counters(root: Path) -> list[Sensor]:
    """Count up each time that clocks were held down: over-current of a Jetson, heat of an Intel processor."""
    files: list[Path] = []
    for chip in _folders(root, "sys/class/hwmon", "*"):
        if _text(chip / "name").startswith("soctherm_oc"):
            files += sorted(chip.glob("oc*_event_cnt"))
    intel = root / "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"
    return [Sensor("throttled", (file,)) for file in (*files, *([intel] if intel.is_file() else []))]


def zone_name(text: str) -> str:
    """Its name here: "CPU-therm" and "cpu-thermal" are "cpu", "nvme Composite" is "nvme_composite"."""
    words = re.sub(r"[-_ ](therm(al)?|tegra|fan[-_]est)$", "", text.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def _keep(found: dict[str, Sensor], text: str, file: Path) -> None:
    """Add a thermometer under a name that is free; drivers often show a zone a second time."""
    name = f"temperature/{zone_name(text)}"
    if text and name not in found and not _MADE_UP.search(text) and file.is_file():
        found[name] = Sensor(name, (file,), 1e-3)


def _rail(label: Path, chip: Path) -> Sensor:
    number = label.name[2]
    return Sensor(f"power/{_text(label)}", (chip / f"in{number}_input", chip / f"curr{number}_input"), 1e-6)


def _folders(root: Path, parent: str, pattern: str) -> Iterable[Path]:
    return sorted(_existing(root / parent, pattern), key=_by_number)


def _existing(parent: Path, pattern: str) -> Iterator[Path]:
    try:
        yield from parent.glob(pattern)
    except OSError:
        return


def _by_number(path: Path) -> tuple[str, int]:
    match = re.search(r"\d+$", path.name)
    return path.name.rstrip("0123456789"), int(match[0]) if match else -1


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
