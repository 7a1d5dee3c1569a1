"""How an inference engine is to run, and how many cores it may count on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_ai.backends.engine_params import EngineParams

Spinning = Literal["none", "short", "long"]
"""Not at all; from one operator of an inference to the next (50 µs); or for as long as the engine likes."""


class BackendOptions(BaseModel):
    """What every backend is told. Its defaults stand in the parameters of whoever asks, and of engines in theirs.

    Attributes:
        backend: "auto" or a name from `edge_ai.backends.select.BACKENDS`.
        providers: ONNX Runtime execution providers, best first, each as `edge_ai.backends.providers.parse` reads it.
        threads: threads of one inference; 0: one for each physical core this process may use.
        spinning: how long idle inference threads look for work before they sleep; see `Spinning`.
        engine: how TensorRT builds and runs engines.
        shapes: for each input of open size the least, the usual and the largest shape that an engine is built for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    providers: tuple[str, ...]
    threads: int = Field(ge=0)
    spinning: Spinning
    engine: EngineParams = EngineParams()
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {}

    @property
    def thread_count(self) -> int:
        """Threads of one inference, at least 1."""
        return self.threads or physical_cores()


def physical_cores() -> int:
    """Physical cores among the processors that this process may run on, at least 1.

    Two hyper-threads of one core count once; outside Linux, where the affinity is not to be had, all processors count.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return max(1, len({_siblings(cpu) for cpu in os.sched_getaffinity(0)}))


def _siblings(cpu: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)
