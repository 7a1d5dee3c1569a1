"""What the processor consumes, by its own meter: Linux's powercap (RAPL), on x86 and where root may read it."""

from __future__ import annotations

from pathlib import Path

_POWERCAP = Path("/sys/class/powercap")


class EnergyMeter:
    """Reads the energy counters of all processor packages.

    Args:
        root: where the kernel shows them.
    """

    def __init__(self, root: Path = _POWERCAP) -> None:
        packages = sorted(root.glob("*-rapl:*/energy_uj"))
        # "intel-rapl:0:1" is a part of "intel-rapl:0": its energy is counted there.
        self._counters = [path for path in packages if path.parent.name.count(":") == 1]

    def joules(self) -> float | None:
        """Energy since some moment, in joules; None where this machine does not tell. Counters start again at times."""
        try:
            return sum(int(path.read_text()) for path in self._counters) * 1e-6 if self._counters else None
        except (OSError, ValueError):
            return None
