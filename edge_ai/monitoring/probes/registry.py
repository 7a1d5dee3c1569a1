"""Which sources of metrics there are, and which of them this machine has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_ai.core.registry import Registry
from edge_ai.monitoring.probes.base import Probe

SOURCES: Registry[type[Probe]] = Registry(
    "source of metrics",
    {
        "jetson-stats": "edge_ai.monitoring.probes.jetson:JetsonProbe",
        "NVML": "edge_ai.monitoring.probes.nvml:NvmlProbe",
        "sysfs": "edge_ai.monitoring.probes.sysfs:SysfsProbe",
        "psutil": "edge_ai.monitoring.probes.system:SystemProbe",
        "disk": "edge_ai.monitoring.probes.disk:DiskProbe",
    },
)
"""In order of preference: what two of them measure is taken from the first that answers. So sysfs stands in for
jetson-stats, by the same names, while its service is silent."""


@dataclass(frozen=True, slots=True)
class Found:
    """The sources of a machine.

    Attributes:
        probes: in order of preference.
        left_out: those that make no sense here, with the reason.
    """

    probes: tuple[Probe, ...]
    left_out: Mapping[str, str]


def find(root: Path = Path("/"), names: Sequence[str] | None = None) -> Found:
    """The sources that this machine has; none of them is asked anything yet.

    Args:
        root: its file system; a test gives a made-up tree.
        names: only these; None: all.

    Raises:
        EdgeAIError: no source has one of these names.
    """
    probes: list[Probe] = []
    left_out: dict[str, str] = {}
    for name in SOURCES.names() if names is None else names:
        kind = SOURCES.load(name)
        try:
            reason = kind.unfit(root)
            if not reason:
                probes.append(kind(root))  # type: ignore[call-arg]
        except Exception as error:  # none of them is worth a robot that does not start
            reason = f"{type(error).__name__}: {error}"
        if reason:
            left_out[name] = reason
    return Found(tuple(probes), left_out)
