"""Who samples a process."""

from __future__ import annotations

import threading
from typing import Protocol

from edge_ai.core.registry import Registry
from edge_ai.monitoring.profiling.stacks import Stacks


class Sampler(Protocol):
    """Looks at what the threads of a process are doing.

    Attributes:
        name: of the sampler.
        rate: samples a second where nobody asks for another number.
    """

    name: str
    rate: float

    def sample(self, seconds: float, rate: float = 0.0, stop: threading.Event | None = None) -> Stacks:
        """Look ``rate`` times a second (0: its own rate), for a time or until ``stop`` is set.

        Raises:
            EdgeAIError: it may not, or cannot.
        """


SAMPLERS: Registry[type[Sampler]] = Registry(
    "sampler",
    {
        "in-process": "edge_ai.monitoring.profiling.in_process:InProcessSampler",
        "py-spy": "edge_ai.monitoring.profiling.py_spy:PySpySampler",
    },
)
"""The first is the default; the other reads every thread's memory each time: a core of its own for 150 threads."""


def sampler_for(name: str = "") -> Sampler:
    """A sampler of this process.

    Raises:
        EdgeAIError: there is none of that name.
    """
    return SAMPLERS.load(name or SAMPLERS.names()[0])()
