"""The bytes of an engine: what it was built with and for, then the ONNX model that it runs."""

from __future__ import annotations

import json
from typing import Any

from edge_ai_doubles import settings

from tensorrt._native import VERSION

MAGIC = b"double.engine\0"
Shapes = dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]


def write(model: bytes, profile: Shapes, facts: dict[str, Any]) -> bytes:
    """The bytes."""
    gpu = settings.gpu()
    head = {"trt": list(VERSION), "gpu": gpu.name, "cc": list(gpu.cc), "profile": profile, **facts}
    text = json.dumps(head).encode()
    return MAGIC + len(text).to_bytes(4, "little") + text + model


def read(plan: bytes) -> tuple[dict[str, Any], bytes]:
    """What `write` was given.

    Raises:
        ValueError: it is no engine, or one of another version or GPU; says so in TensorRT's way.
    """
    if not plan.startswith(MAGIC):
        raise ValueError("Serialization assertion plan->header.magicTag == rt::kPLAN_MAGIC_TAG failed.")
    start = len(MAGIC) + 4
    size = int.from_bytes(plan[len(MAGIC) : start], "little")
    head = json.loads(plan[start : start + size])
    _require_version(tuple(head["trt"]), "VERSION_COMPATIBLE" in head["flags"])
    gpu = settings.gpu()
    same = {
        "NONE": [head["gpu"], head["cc"]] == [gpu.name, list(gpu.cc)],
        "SAME_COMPUTE_CAPABILITY": head["cc"] == list(gpu.cc),
    }
    if not same.get(head["hardware"], list(gpu.cc) >= [8, 0]):
        raise ValueError("The engine plan file is not compatible with this device: generated on an incompatible device")
    return head, plan[start + size :]


def _require_version(built: tuple[int, ...], compatible: bool) -> None:
    if built == VERSION or (compatible and built[0] == VERSION[0] and built <= VERSION):
        return
    here, there = (".".join(map(str, version)) for version in (VERSION, built))
    raise ValueError(
        "The engine plan file is not compatible with this version of TensorRT, "
        f"expecting library {here} got {there}, please rebuild."
    )
