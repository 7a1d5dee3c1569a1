"""Execution contexts: shapes and addresses first, then work on a stream."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from edge_ai_doubles import contexts, memory, settings, state, streams
from edge_ai_doubles.errors import CudaError
from edge_ai_doubles.kernels import Binding, Execution

from tensorrt import _logger
from tensorrt._enums import TensorIOMode, numpy_type
from tensorrt._native import Native, refuse


class IExecutionContext(Native):
    """Made by an engine; not to be used from two threads at once."""

    def __init__(self, engine: Any, scratch: int) -> None:
        self._own_engine = engine
        names = list(engine._own_tensors)
        self._own_inputs = [n for n in names if engine.get_tensor_mode(n) == TensorIOMode.INPUT]
        self._own_outputs = [n for n in names if engine.get_tensor_mode(n) == TensorIOMode.OUTPUT]
        self._own_shapes = {name: engine.get_tensor_shape(name) for name in self._own_inputs}
        self._own_known: dict[tuple[tuple[int, ...], ...], dict[str, tuple[int, ...]]] = {}
        self._own_addresses: dict[str, int] = {}
        self._own_captured: set[tuple[tuple[int, ...], ...]] = set()
        weakref.finalize(self, memory.unreserve, scratch)

    engine = property(lambda self: self._own_engine)

    def set_input_shape(self, name: str, shape: Any) -> bool:
        """Choose a shape within the profile."""
        shape = tuple(int(size) for size in shape)
        if name not in self._own_shapes:
            return self._refuse(f"setInputShape: no input {name}")
        least, _, most = self._own_engine.get_tensor_profile_shape(name, 0)
        if len(shape) != len(most) or not all(a <= size <= b for a, size, b in zip(least, shape, most, strict=True)):
            return self._refuse(
                f"IExecutionContext::setInputShape: Error Code 3: API Usage Error (Supplied dims {list(shape)} for "
                f"input tensor {name} are outside of the range of the profile, {list(least)} to {list(most)})"
            )
        self._own_shapes[name] = shape
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """The shape with the inputs' shapes as they are; open sizes are -1."""
        if name in self._own_shapes:
            return tuple(self._own_shapes[name])
        if self.infer_shapes():
            return tuple(self._own_engine.get_tensor_shape(name))
        return self._outputs()[name]

    def infer_shapes(self) -> list[str]:
        """The inputs whose shape is still open."""
        return [name for name, shape in self._own_shapes.items() if min(shape, default=0) < 0]

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Where a tensor lies on the device."""
        if not isinstance(memory, int):
            raise refuse("set_tensor_address()")
        if name not in self._own_engine._own_tensors:
            return self._refuse(f"setTensorAddress: no tensor {name}")
        self._own_addresses[name] = memory
        return True

    def get_tensor_address(self, name: str) -> int:
        """Where a tensor lies."""
        return self._own_addresses.get(name, 0)

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Queue an inference."""
        if not isinstance(stream_handle, int):
            raise refuse("execute_async_v3()")
        with state.LOCK:
            try:
                state.check_alive()
                stream = streams.look_up(stream_handle, contexts.current())
                return self._enqueue(stream)
            except CudaError as error:
                return self._refuse(f"IExecutionContext::enqueueV3: Error Code 1: Cuda Runtime ({error})")

    def _enqueue(self, stream: streams.Stream) -> bool:
        if open_ones := self.infer_shapes():
            return self._refuse(f"enqueueV3: Error Code 3: inputs {open_ones} have no shape")
        names = [*self._own_inputs, *self._own_outputs]
        if unbound := [name for name in names if not self._own_addresses.get(name)]:
            return self._refuse(
                f"enqueueV3: Error Code 3: API Usage Error (Neither address nor allocator is set for {unbound})"
            )
        key = tuple(self._own_shapes.values())
        if stream.capture and key not in self._own_captured:
            stream.capture.valid = False
            return self._refuse("enqueueV3: shapes were changed since the last enqueue: it cannot be captured")
        if settings.fault("execute_fails"):
            return self._refuse("IExecutionContext::enqueueV3: Error Code 1: Myelin ([myelinGraphExecute] failed)")
        self._own_captured = {key}
        outputs = self._outputs()
        engine = self._own_engine
        stream.enqueue(
            Execution(
                engine._own_session,
                [self._binding(name, self._own_shapes[name]) for name in self._own_inputs],
                [self._binding(name, outputs[name]) for name in self._own_outputs],
                "FP16" in engine._own_head["flags"],
                self,
            )
        )
        return True

    def _binding(self, name: str, shape: tuple[int, ...]) -> Binding:
        dtype = numpy_type(self._own_engine.get_tensor_dtype(name))
        return Binding(name, self._own_addresses[name], dtype, shape)

    def _outputs(self) -> dict[str, tuple[int, ...]]:
        """The outputs' shapes, found by running the model on zeros once for each choice of inputs' shapes."""
        key = tuple(self._own_shapes.values())
        if key not in self._own_known:
            session = self._own_engine._own_session
            types = {name: numpy_type(self._own_engine.get_tensor_dtype(name)) for name in self._own_inputs}
            zeros = {name: np.zeros(shape, types[name]) for name, shape in self._own_shapes.items()}
            answers = session.run(self._own_outputs, zeros)
            self._own_known[key] = {n: tuple(a.shape) for n, a in zip(self._own_outputs, answers, strict=True)}
        return self._own_known[key]

    def _refuse(self, text: str) -> bool:
        _logger.error(self._own_engine._own_runtime._own_logger, text)
        return False
