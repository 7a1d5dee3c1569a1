"""The contract of a source of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from edge_ai.monitoring.readings import Readings


class Probe(Protocol):
    """One source of metrics. Each has a thread of its own, so that it may take its time, hang or die.

    What comes out of `open`, `read` and `close` is asked of by that thread alone. A source whose library works in
    threads of its own may tell what they take in a property ``cpu_ns``: nanoseconds of CPU time so far.

    Attributes:
        name: for faults and logs: "psutil", "jetson-stats", "NVML", "sysfs".
    """

    name: str

    @classmethod
    def unfit(cls, root: Path) -> str:
        """Why this source makes no sense on this machine; empty: it does. Looks at files only, and is quick.

        Args:
            root: the machine's file system; a test gives a made-up tree.
        """

    def open(self) -> None:
        """Find the source, once before the first `read` and again after one that failed.

        Raises:
            EdgeAIError: it is not on this machine, or does not answer; says how to mend it.
        """

    def read(self) -> Readings:
        """What it measures now. May raise anything: the source is then closed, and tried again later."""

    def texts(self) -> Mapping[str, str]:
        """What it knows that is no number, such as "power_mode"; asked after each `read`."""

    def close(self) -> None:
        """Let go of it; harmless when it is not open."""
