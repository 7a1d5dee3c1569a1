"""Which machine is pretended: read from the environment at each use, so that a test may change it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

TRT = "EDGE_AI_DOUBLE_TRT"
GPU = "EDGE_AI_DOUBLE_GPU"
FAULT = "EDGE_AI_DOUBLE_FAULT"
MIB = 1 << 20

# The number that counts unless the fault is written with one of its own, as in `device_lost:5`.
FAULTS: Mapping[str, float] = {
    "no_device": 1,
    "build_fails": 1,
    "build_out_of_memory": 1,
    "build_crashes": 1,
    "build_slow": 3.0,  # seconds
    "build_eats_memory": 400,  # MiB
    "engine_wrong": 1,
    "engine_nan": 1,
    "execute_fails": 1,
    "device_lost": 3,  # executions until then
    "cuda_out_of_memory": 16,  # MiB that are left
    "deserialize_refuses": 1,
}


@dataclass(frozen=True)
class Gpu:
    """A pretended GPU, or several that are alike."""

    name: str = "Orin"
    cc: tuple[int, int] = (8, 7)
    integrated: bool = True
    total_mib: int = 7620
    free_mib: int = 5000
    devices: int = 1
    driver: int = 12060
    dla_cores: int = 0
    processors: int = 8


def trt_version() -> str:
    """The version of TensorRT that is pretended."""
    return os.environ.get(TRT, "10.3.0")


def gpu() -> Gpu:
    """The GPU that is pretended."""
    return _gpu(os.environ.get(GPU, "{}"))


def fault(name: str) -> float:
    """The number of an injected fault; 0 if it is not injected."""
    return _faults(os.environ.get(FAULT, "")).get(name, 0)


def configure(trt: str | None = None, gpu: Mapping[str, Any] | None = None, fault: str | None = None) -> None:
    """Change the machine in this process and forget its memory, streams and errors.

    Args:
        trt: counts for the next import of tensorrt only.
        gpu: fields of `Gpu` that differ from the default.
        fault: comma list of the names in `FAULTS`, each with a number after a colon if it takes one.
    """
    from edge_ai_doubles import state

    for key, value in ((TRT, trt), (GPU, None if gpu is None else json.dumps(dict(gpu))), (FAULT, fault)):
        if value is not None:
            os.environ[key] = value
    _faults(os.environ.get(FAULT, ""))
    state.reset()


@lru_cache
def _gpu(text: str) -> Gpu:
    values = json.loads(text or "{}")
    if "cc" in values:
        values["cc"] = tuple(values["cc"])
    return Gpu(**values)


@lru_cache
def _faults(text: str) -> dict[str, float]:
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = entry.partition(":")
        found[name] = float(number) if number else FAULTS[name]
        if name not in FAULTS:
            raise KeyError(name)
    return found
