"""ONNX Runtime's execution providers: their names, their options and what brings them. Strict: no silent fallback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.engine_params import EngineParams
from edge_ai.core.errors import BackendError

SHORT_NAMES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "dml": "DmlExecutionProvider",
}

_BROUGHT_BY = {
    "CUDAExecutionProvider": "install onnxruntime-gpu in place of onnxruntime, with its CUDA and cuDNN",
    "TensorrtExecutionProvider": "install an onnxruntime-gpu built with TensorRT (on a Jetson: NVIDIA's build)",
    "OpenVINOExecutionProvider": "install onnxruntime-openvino in place of onnxruntime",
    "DmlExecutionProvider": "install onnxruntime-directml in place of onnxruntime (Windows)",
    "CoreMLExecutionProvider": "run on macOS",
}


@dataclass(frozen=True)
class Provider:
    """One execution provider.

    Attributes:
        name: ONNX Runtime's own name for it.
        options: its options, as text.
    """

    name: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def device_id(self) -> int:
        """Which of several devices it runs on."""
        return int(self.options.get("device_id", "0"))


def parse(text: str) -> Provider:
    """Read a provider: a short or full name, with options after a colon.

    Raises:
        BackendError: an option is not written as name=value, or device_id is no number.

    Example:
        >>> parse("cuda:device_id=1,cudnn_conv_algo_search=HEURISTIC").options["device_id"]
        '1'
    """
    name, colon, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if colon else []
    options = {key.strip(): value.strip() for key, _, value in pairs}
    if not all(key and value for key, value in options.items()) or not options.get("device_id", "0").isdigit():
        raise BackendError("execution provider", got=repr(text), wanted="name or name:option=value,option=value")
    return Provider(SHORT_NAMES.get(name.strip().lower(), name.strip()), options)


def parse_all(texts: Sequence[str]) -> list[Provider]:
    """Read several, best first.

    Raises:
        BackendError: there is none, or one cannot be read.
    """
    if not texts:
        raise BackendError("execution providers", got="none", wanted=f"at least one of {', '.join(SHORT_NAMES)}")
    return [parse(text) for text in texts]


def completed(provider: Provider, engine: EngineParams) -> Provider:
    """A GPU provider with what the engine parameters say, wherever its own options do not say otherwise."""
    options = _ENGINE_OPTIONS.get(provider.name)
    return Provider(provider.name, {**(options(engine) if options else {}), **provider.options})


def make_folders(providers: Sequence[Provider]) -> None:
    """Make the folders that providers keep engines in, for they make none themselves.

    Raises:
        BackendError: one cannot be made.
    """
    for path in (provider.options.get("trt_engine_cache_path") for provider in providers):
        try:
            if path:
                Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BackendError(f"folder '{path}'", got=error.strerror, mend="set engine_cache elsewhere") from None


def _cuda_options(engine: EngineParams) -> dict[str, str]:
    return {"device_id": str(engine.gpu), "use_tf32": _flag(engine.engine_tf32)}


def _tensorrt_options(engine: EngineParams) -> dict[str, str]:
    cache = EngineCache.at(engine.engine_cache).root / "onnxruntime"
    options = {
        "device_id": str(engine.gpu),
        "trt_fp16_enable": _flag(engine.precision != "fp32"),
        "trt_int8_enable": _flag(engine.precision == "int8"),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(cache),
        "trt_builder_optimization_level": str(engine.engine_level),
        "trt_sparsity_enable": _flag(engine.engine_sparsity),
        "trt_engine_hw_compatible": _flag(engine.engine_for != "device"),
    }
    if engine.engine_workspace:
        options["trt_max_workspace_size"] = str(engine.engine_workspace << 20)
    if engine.dla_core >= 0:
        options |= {"trt_dla_enable": "True", "trt_dla_core": str(engine.dla_core)}
    return options


def _flag(value: bool) -> str:
    return str(value)


_ENGINE_OPTIONS: dict[str, Callable[[EngineParams], dict[str, str]]] = {
    "CUDAExecutionProvider": _cuda_options,
    "TensorrtExecutionProvider": _tensorrt_options,
}


def missing(providers: Sequence[Provider], available: Sequence[str]) -> str:
    """Which of the providers are not available here and what brings them; empty if all are."""
    known = {full: short for short, full in SHORT_NAMES.items()}
    absent = [provider.name for provider in providers if provider.name not in available]
    if not absent:
        return ""
    here = ", ".join(known.get(name, name) for name in available)
    ways = [_BROUGHT_BY[name] for name in absent if name in _BROUGHT_BY]
    return "; ".join([f"no {', '.join(known.get(n, n) for n in absent)} here, available: {here}", *ways])
