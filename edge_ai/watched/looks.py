"""The monitor's looks at the machine, of which the robot's parts are told before."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.sampler import Sampler


class Looks:
    """A sampler that has the robot's parts told just before it looks at the machine."""

    def __init__(self, sampler: Sampler, tell: Callable[[], None]) -> None:
        self._sampler, self._tell = sampler, tell
        self.start, self.stop = sampler.start, sampler.stop

    def collect(self) -> Sample:
        self._tell()
        return self._sampler.collect()
