"""Which engine runs a model: filters that each give their reason, then the order of the table."""

from __future__ import annotations

from pathlib import Path

from edge_ai.backends.base import Backend
from edge_ai.backends.options import BackendOptions
from edge_ai.core.errors import BackendError
from edge_ai.core.registry import Registry

BACKENDS: Registry[type[Backend]] = Registry(
    "backend",
    {
        "tensorrt": "edge_ai.backends.trt:TensorRTBackend",
        "onnxruntime": "edge_ai.backends.onnxrt:OnnxRuntimeBackend",
    },
)
"""Every engine, best first."""


def choose(model_path: Path | str, options: BackendOptions) -> Backend:
    """The best engine for a model, not yet active.

    Args:
        model_path: the model file; only its name is looked at.
        options: how to run; ``options.backend`` names the engine or is "auto".

    Raises:
        BackendError: no engine will do; says of each why not.
    """
    reasons = []
    for name in _candidates(options.backend):
        kind = BACKENDS.load(name)
        reason = kind.unfit(Path(model_path), options)
        if not reason:
            return kind(options)
        reasons.append(f"{name}: {reason}")
    raise BackendError(f"no engine can run '{model_path}'", got="; ".join(reasons))


def _candidates(backend: str) -> tuple[str, ...]:
    names = BACKENDS.names()
    if backend == "auto":
        return names
    if backend not in names:
        raise BackendError("backend", got=repr(backend), wanted=f"auto or one of {', '.join(names)}")
    return (backend,)
