"""How TensorRT builds and runs engines: the only place with these defaults, ranges, units and descriptions."""

from __future__ import annotations

from typing import Literal

from edge_ai.core.params import Params, param

Precision = Literal["fp32", "fp16", "int8", "best"]


class EngineParams(Params):
    """What kind of engine is built from a model, where it is kept and how it runs. Part of the inference node's."""

    precision: Precision = param(
        "fp16",
        "TensorRT's precision; int8: from a model with Q/DQ operators, or calibrated on engine_calibration before "
        "TensorRT 11; best: the fastest of all that the model allows.",
    )
    engine_cache: str = param("", "Folder of built engines; empty: edge_ai/engines in the user's cache folder.")
    engine_workspace: int = param(
        0, "Scratch memory an engine may use; 0: a quarter of the device's memory.", unit="MiB", ge=0, le=1 << 20
    )
    engine_level: int = param(
        3, "How hard the builder looks, from 0 (quick build) to 5 (fastest engine); TensorRT 8.6 or newer.", ge=0, le=5
    )
    engine_sparsity: bool = param(False, "Use sparse tensor cores where weights have 2:4 zeros.")
    engine_tf32: bool = param(True, "Allow TF32 where FP32 is asked for.")
    engine_for: Literal["device", "same_compute_capability", "ampere_plus"] = param(
        "device", "GPUs an engine runs on: this one only (fastest), or others too; TensorRT 8.6 or newer."
    )
    engine_version_compatible: bool = param(
        False, "The engine outlives an update of TensorRT; it then carries code of its own, and may be slower."
    )
    engine_calibration: str = param("", "Folder of images to calibrate int8 on, for a model without Q/DQ operators.")
    engine_gate: str = param(
        "agreement",
        "What a built engine must pass before it serves; agreement: outputs like ONNX Runtime's; accuracy: what it "
        "finds on the images of engine_calibration, by labels if labels.json (COCO) is there, else like ONNX Runtime.",
    )
    build_memory: int = param(
        0, "Memory a build may use before it is ended; 0: three quarters of what is free.", unit="MiB", ge=0, le=1 << 20
    )
    dla_core: int = param(
        -1, "Deep learning accelerator to run on, layers it cannot run stay on the GPU; -1: none.", ge=-1, le=3
    )
    gpu: int = param(0, "Which of several GPUs.", ge=0, le=63)
    cuda: Literal["auto", "pycuda", "cuda-bindings"] = param("auto", "Python binding of CUDA; auto: what is installed.")
    cuda_graphs: bool = param(
        True, "Launch an inference as one recorded graph where its shapes stay the same; with cuda-bindings."
    )


BUILD_FIELDS = (
    "precision",
    "engine_workspace",
    "engine_level",
    "engine_sparsity",
    "engine_tf32",
    "engine_for",
    "engine_version_compatible",
    "engine_calibration",
    "dla_core",
)
"""The parameters that make another engine; the others do not."""
