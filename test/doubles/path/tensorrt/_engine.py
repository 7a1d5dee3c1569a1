"""Engines: their tensors, and what they hold of the GPU."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from edge_ai_doubles import contexts, memory, settings, state
from edge_ai_doubles.errors import CudaError
from edge_ai_doubles.state import NOW

from tensorrt import _logger, _plan
from tensorrt._context import IExecutionContext
from tensorrt._enums import V86, TensorIOMode, data_type
from tensorrt._native import Native, only

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
}


class ICudaEngine(Native):
    """Made by a runtime. Its weights are on the GPU until it goes."""

    def __init__(self, runtime: Runtime, head: dict[str, Any], model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        # Some releases compute INT8 wrongly on some processors, see edge_ai.backends.onnxrt_faults.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._own_runtime, self._own_head = runtime, head
        self._own_session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._own_profile: _plan.Shapes = {
            name: tuple(tuple(s) for s in shapes)
            for name, shapes in head["profile"].items()  # type: ignore[misc]
        }
        sides = ((self._own_session.get_inputs(), "INPUT"), (self._own_session.get_outputs(), "OUTPUT"))
        self._own_tensors = {node.name: (node, TensorIOMode[side]) for nodes, side in sides for node in nodes}
        self._own_scratch = max(1 << 10, len(model) // 4)
        memory.reserve(len(model))
        weakref.finalize(self, memory.unreserve, len(model))

    num_io_tensors = property(lambda self: len(self._own_tensors))
    num_optimization_profiles = property(lambda _: 1)
    num_layers = property(lambda self: 1)

    def get_tensor_name(self, index: int) -> str:
        """A tensor's name; inputs come first."""
        return list(self._own_tensors)[index]

    def get_tensor_mode(self, name: str) -> Any:
        """One of `TensorIOMode`; NONE for a name that is not there."""
        return self._own_tensors[name][1] if name in self._own_tensors else TensorIOMode.NONE

    def get_tensor_dtype(self, name: str) -> Any:
        """One of `DataType`."""
        return data_type(np.dtype(_TYPES[self._own_tensors[name][0].type]))

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Its shape; open sizes are -1."""
        return tuple(size if isinstance(size, int) else -1 for size in self._own_tensors[name][0].shape)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        """Least, usual and largest shape of an input."""
        if profile_index != 0 or self.get_tensor_mode(name) != TensorIOMode.INPUT:
            _logger.error(self._own_runtime._own_logger, f"ICudaEngine::getProfileShape: no profile of {name}")
            return []
        return list(self._own_profile.get(name, (self.get_tensor_shape(name),) * 3))

    def create_execution_context(self) -> IExecutionContext | None:
        """A context; None if there is no memory for it."""
        logger = self._own_runtime._own_logger
        with state.LOCK:
            try:
                state.check_alive()
                contexts.bound()
                memory.reserve(self._own_scratch)
            except CudaError as error:
                _logger.error(logger, f"IExecutionContext creation failed: Error Code 2: OutOfMemory ({error})")
                return None
            return IExecutionContext(self, self._own_scratch)


class Runtime(Native):
    """Makes engines of bytes."""

    def __init__(self, logger: Any) -> None:
        self._own_logger = _logger.require(logger)
        self._own_core, self._own_trusted = -1, False

    @property
    def DLA_core(self) -> int:
        """Which DLA engines run on."""
        return self._own_core

    @DLA_core.setter
    def DLA_core(self, core: int) -> None:
        self._own_core = core

    def _get_trusted(self) -> bool:
        return bool(self._own_trusted)

    def _set_trusted(self, value: bool) -> None:
        self._own_trusted = value

    engine_host_code_allowed = only(since=V86)(property(_get_trusted, _set_trusted))

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
        """An engine; None, and a line in the log, if it is none for this version and device."""
        with state.LOCK:
            NOW.deserialized += 1
            try:
                state.check_alive()
                contexts.bound()
                if settings.fault("deserialize_refuses"):
                    raise ValueError("Serialization assertion stdVersionRead == kSERIALIZATION_VERSION failed.")
                head, model = _plan.read(bytes(serialized_engine))
                if "VERSION_COMPATIBLE" in head["flags"] and not self._own_trusted:
                    raise ValueError("Cannot deserialize engine with lean runtime: engineHostCodeAllowed is false")
                if head["dla"] >= 0 and self._own_core != head["dla"]:
                    raise ValueError("the engine was built for DLA, but the runtime's DLA core is not set")
                return ICudaEngine(self, head, model)
            except (ValueError, CudaError) as error:
                _logger.error(self._own_logger, f"IRuntime::deserializeCudaEngine: Error Code 1: {error}")
                return None
