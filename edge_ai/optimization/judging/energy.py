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
        # Not "core" and "dram", whose energy a package counts, nor "psys", which counts more than the processor.
        self._counters = [path for path in sorted(root.glob("*/energy_uj")) if _name(path.parent).startswith("package")]

    def joules(self) -> float | None:
        """Energy since some moment, in joules; None where this machine does not tell. Counters start again at times."""
        try:
            return sum(int(path.read_text()) for path in self._counters) * 1e-6 if self._counters else None
        except (OSError, ValueError):
            return None


def _name(domain: Path) -> str:
    try:
        return (domain / "name").read_text()
    except OSError:
        return ""
