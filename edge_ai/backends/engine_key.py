"""What an engine is built from and for, and under what its verdict counts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from edge_ai.backends.cuda_memory import DeviceInfo
from edge_ai.backends.engine_cache import model_digest
from edge_ai.backends.engine_manifest import EngineKey
from edge_ai.backends.engine_params import BUILD_FIELDS
from edge_ai.backends.options import BackendOptions

_RELEASE = Path("/etc/nv_tegra_release")


def key_for(model_path: Path, options: BackendOptions, device: DeviceInfo, tensorrt: str) -> EngineKey:
    """The key of the engine of an ONNX model.

    Raises:
        EngineError: external data of the model is missing.
    """
    major, minor = device.compute_capability
    gpu, capability = device.name, f"{major}.{minor}"
    if options.engine.engine_for != "device":
        gpu = options.engine.engine_for
        capability = "8.0 or newer" if gpu == "ampere_plus" else capability
    if options.engine.engine_version_compatible:
        tensorrt = f"{tensorrt.partition('.')[0]}.x"
    chosen: dict[str, Any] = {name: getattr(options.engine, name) for name in BUILD_FIELDS}
    chosen["shapes"] = {name: [list(shape) for shape in shapes] for name, shapes in options.shapes.items()}
    return EngineKey(
        model_sha256=model_digest(model_path),
        options=chosen,
        tensorrt=tensorrt,
        gpu=gpu,
        compute_capability=capability,
    )


def environment(device: DeviceInfo, tensorrt: str = "", release: Path = _RELEASE) -> dict[str, str]:
    """The software that an engine's answers depend on, beside the engine.

    Args:
        device: the GPU and its driver.
        tensorrt: version of TensorRT; default the one installed.
        release: where a Jetson says its version of L4T.
    """
    if not tensorrt:
        from edge_ai.backends import trt_api

        tensorrt = trt_api.load().__version__
    found = {"TensorRT": tensorrt, "driver": str(device.driver)}
    try:
        text = release.read_text()
    except OSError:
        return found
    if match := re.search(r"R(\d+) .*?REVISION: ([\d.]+)", text):
        found["L4T"] = f"{match[1]}.{match[2]}"
    return found
