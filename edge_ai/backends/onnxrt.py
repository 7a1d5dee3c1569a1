"""ONNX Runtime: runs any ONNX model, on the CPU or through the execution providers it was built with."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_ai.backends import onnxrt_faults
from edge_ai.backends.base import Backend
from edge_ai.backends.options import BackendOptions, Spinning
from edge_ai.backends.providers import Provider, completed, make_folders, missing, parse_all
from edge_ai.backends.tensors import Array, TensorSpec
from edge_ai.core.errors import BackendError, InferenceError, ModelError

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}

_DEVICES = {"CUDAExecutionProvider": "cuda", "TensorrtExecutionProvider": "cuda"}

_SHORT_SPIN_US = "50"

_BROKEN_FILE = ("InvalidProtobuf", "InvalidGraph", "NoSuchFile", "NoModel")


class OnnxRuntimeBackend(Backend):
    """ONNX Runtime behind the common contract.

    The first provider asked for is the one that runs, or activation fails: ONNX Runtime itself would go on silently
    on the CPU. On a GPU a model of static shapes runs over buffers bound once on the device. On the CPU binding was
    measured to gain nothing (NanoDet 416: 22.1 ms bound, 22.2 ms unbound), so there it is not used.
    """

    name = "onnxruntime"
    concurrent = True

    def __init__(self, options: BackendOptions) -> None:
        super().__init__(options)
        self._session: Any = None
        self._names: list[str] = []
        self._bound: DeviceBuffers | None = None

    @classmethod
    def unfit(cls, model_path: Path, options: BackendOptions) -> str:
        """See `Backend.unfit`."""
        if model_path.suffix not in (".onnx", ".ort"):
            return f"runs .onnx and .ort files, not '{model_path.suffix}'"
        if importlib.util.find_spec("onnxruntime") is None:
            return "onnxruntime is not installed: pip install onnxruntime"
        import onnxruntime

        lacking = missing(parse_all(options.providers), onnxruntime.get_available_providers())
        return lacking or onnxrt_faults.unfit(model_path)

    def _activate(self, model_path: Path) -> tuple[list[TensorSpec], list[TensorSpec], str]:
        providers = [completed(provider, self.options.engine) for provider in parse_all(self.options.providers)]
        if reason := self.unfit(model_path, self.options):
            raise BackendError(f"backend {self.name} cannot run '{model_path}'", got=reason)
        make_folders(providers)
        self._session = _load(model_path, providers, self.options)
        inputs = [_spec(node, model_path) for node in self._session.get_inputs()]
        outputs = [_spec(node, model_path) for node in self._session.get_outputs()]
        self._names = [spec.name for spec in outputs]
        device = _DEVICES.get(providers[0].name)
        if device and all(spec.static for spec in inputs + outputs):
            self._bound = DeviceBuffers(self._session, inputs, self._names, device, providers[0].device_id)
        return inputs, outputs, self._describe(providers)

    def _infer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        try:
            if self._bound is not None:
                return self._bound.run(feeds)
            return dict(zip(self._names, self._session.run(self._names, feeds), strict=True))
        except Exception as error:
            raise InferenceError("ONNX Runtime failed", got=_first_line(error)) from error

    def _deactivate(self) -> None:
        self._session, self._bound, self._names = None, None, []

    def _describe(self, providers: Sequence[Provider]) -> str:
        import onnxruntime

        names = " + ".join(provider.name for provider in providers)
        threads = self.options.thread_count
        return f"ONNX Runtime {onnxruntime.__version__}, {names}, {threads} thread{'s' * (threads > 1)}"


class DeviceBuffers:
    """Inputs that stay on a device, for a session whose shapes are all static; runs from several threads take turns.

    Args:
        session: the session that uses them.
        inputs: its inputs.
        outputs: names of its outputs.
        device: ONNX Runtime's name for the kind of device: "cuda", "cpu".
        device_id: which one.
    """

    def __init__(
        self, session: Any, inputs: Sequence[TensorSpec], outputs: Sequence[str], device: str, device_id: int = 0
    ) -> None:
        from onnxruntime import OrtValue

        self._session, self._outputs = session, list(outputs)
        self._lock = threading.Lock()
        self._binding = session.io_binding()
        self._inputs = {}
        for spec in inputs:
            zeros = np.zeros([size or 0 for size in spec.shape], spec.dtype)
            value = OrtValue.ortvalue_from_numpy(zeros, device, device_id)
            self._binding.bind_ortvalue_input(spec.name, value)
            self._inputs[spec.name] = value
        for name in self._outputs:
            self._binding.bind_output(name, device, device_id)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Copy the inputs over, run, copy the outputs back into arrays of the caller's own."""
        with self._lock:
            for name, array in feeds.items():
                self._inputs[name].update_inplace(array)
            self._session.run_with_iobinding(self._binding)
            arrays = self._binding.copy_outputs_to_cpu()
        return {name: np.array(array) for name, array in zip(self._outputs, arrays, strict=True)}


def _load(path: Path, providers: Sequence[Provider], options: BackendOptions) -> Any:
    import onnxruntime

    names = [provider.name for provider in providers]
    try:
        session = onnxruntime.InferenceSession(
            str(path),
            _session_options(names, options),
            providers=names,
            provider_options=[provider.options for provider in providers],
            enable_fallback=0,
        )
    except Exception as error:
        raise _explain(path, names, error) from error
    session.disable_fallback()
    if session.get_providers()[0] != names[0]:
        raise BackendError(
            f"execution provider {names[0]} did not start",
            got=", ".join(session.get_providers()),
            wanted=names[0],
            mend="see ONNX Runtime's messages above for the library it missed, or ask for cpu",
        )
    return session


def _session_options(names: Sequence[str], options: BackendOptions) -> Any:
    import onnxruntime

    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = options.thread_count
    session_options.inter_op_num_threads = 1
    session_options.log_severity_level = 3
    onnxrt_faults.avoid(session_options)
    for key, value in spin_entries(options.spinning, onnxruntime.__version__).items():
        session_options.add_session_config_entry(key, value)
    if "CPUExecutionProvider" not in names:
        session_options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return session_options


def spin_entries(spinning: Spinning, version: str) -> dict[str, str]:
    """The session's configuration entries for spinning.

    Until 1.25 threads that spin at all do so for milliseconds after each inference: "short" is then "none".

    Args:
        spinning: what is wanted.
        version: of ONNX Runtime.
    """
    limited = tuple(int(part) for part in version.split(".")[:2]) >= (1, 26)
    spins = spinning == "long" or (spinning == "short" and limited)
    entries = {"session.intra_op.allow_spinning": str(int(spins))}
    if spinning == "short" and limited:
        entries["session.intra_op.spin_duration_us"] = _SHORT_SPIN_US
    return entries


def _explain(path: Path, names: Sequence[str], error: Exception) -> BackendError | ModelError:
    text = _first_line(error)
    if type(error).__name__ in _BROKEN_FILE or names == ["CPUExecutionProvider"]:
        return ModelError(f"model file '{path}' cannot be loaded", got=text, mend="check that it is a whole ONNX model")
    mend = "" if "CPUExecutionProvider" in names else "add cpu to the providers to run what the first cannot"
    return BackendError(f"execution provider {names[0]} refuses '{path}'", got=text, mend=mend)


def _first_line(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), "")
    return re.sub(r"\s+", " ", line).strip() or type(error).__name__


def _spec(node: Any, path: Path) -> TensorSpec:
    if node.type not in _DTYPES:
        raise ModelError(f"model file '{path}': {node.name!r}", got=node.type, wanted=f"one of {', '.join(_DTYPES)}")
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape)
    return TensorSpec(node.name, np.dtype(_DTYPES[node.type]), shape)
