"""What a server of the Open Inference Protocol v2 does, well or badly, as a test wants it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tritonclient.utils import deserialize_bytes_tensor

NUMPY = {"FP32": np.float32, "INT32": np.int32, "UINT8": np.uint8, "FP16": np.float16, "INT64": np.int64}
Tensors = dict[str, np.ndarray]


def datatype(array: np.ndarray) -> str:
    return next((name for name, dtype in NUMPY.items() if array.dtype == dtype), "BYTES")


def unpacked(raw: bytes, kind: str, shape: Any) -> np.ndarray:
    flat = deserialize_bytes_tensor(raw) if kind == "BYTES" else np.frombuffer(raw, NUMPY[kind])
    return flat.reshape(shape)


@dataclass
class Served:
    """A model: its metadata as (datatype, shape) by name, and what it does with its inputs."""

    inputs: dict[str, tuple[str, list[int]]]
    outputs: dict[str, tuple[str, list[int]]]
    run: Callable[[Tensors], Tensors]
    versions: list[str] = field(default_factory=lambda: ["1"])


@dataclass
class Behaviour:
    """What the server does; change it at any time.

    Attributes:
        models: by name.
        ready: what it says of itself.
        token: what it wants in "authorization"; empty: nothing.
        status: of HTTP to answer an inference with instead; 0: none.
        code: of gRPC to answer an inference with instead, by name.
        hold: seconds before an inference is answered.
        mode: of HTTP: "reset" or "dribble" in mid-response, "garbage", "redirect"; of both: "truncated" outputs.
        seen: number of inferences asked for.
        inputs: of the newest one.
        metadata: of its request: headers.
        cancelled: inferences that the client gave up.
    """

    models: dict[str, Served] = field(default_factory=dict)
    ready: bool = True
    token: str = ""
    status: int = 0
    code: str = ""
    words: str = "told to"
    hold: float = 0.0
    mode: str = ""
    seen: int = 0
    inputs: Tensors = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    cancelled: int = 0

    def authorised(self, metadata: dict[str, str]) -> bool:
        return not self.token or metadata.get("authorization") == f"Bearer {self.token}"


@dataclass
class Running:
    """A server that runs: its port, its behaviour, how often clients connected, and its end."""

    port: int
    behaviour: Behaviour
    connections: list[int]
    stop: Callable[[], None]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()
