"""One inference at a time on one TensorRT context, with memory, stream and graph of its own, made once."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edge_ai.backends.cuda_memory import Cuda, CudaError, Graph, Memory
from edge_ai.backends.pinned import PinnedArrays
from edge_ai.backends.tensors import Array, Shape, TensorSpec
from edge_ai.core.errors import BackendError, InferenceError

if TYPE_CHECKING:
    import tensorrt as trt

log = logging.getLogger(__name__)

_SEEN_BEFORE_RECORDING = 2
_GRAPHS_KEPT = 8


class Lane:
    """A context and what it needs, for the largest shapes of its profile.

    Everything is called with the device current. On an integrated GPU, whose memory is the processor's, the device
    works on pinned host memory itself and nothing is copied; elsewhere inputs are copied from pinned memory to the
    device and outputs back, queued on the lane's own stream.

    Args:
        cuda: the device.
        engine: what to run.
        inputs, outputs: its tensors.
        pinned: arrays that callers may hand in without a copy.
        graphs: record an inference that comes again with the same shapes and buffers, and launch the record.

    Raises:
        CudaError: there is not enough memory.
        BackendError: TensorRT makes no context, or an output's shape depends on data.
    """

    def __init__(
        self,
        cuda: Cuda,
        engine: trt.ICudaEngine,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        pinned: PinnedArrays,
        *,
        graphs: bool,
    ) -> None:
        self._cuda, self._pinned = cuda, pinned
        self._inputs, self._outputs = list(inputs), list(outputs)
        self._copies = not pinned.mapped
        self._graphs_wanted = graphs and cuda.graphs
        self._memory: dict[str, Memory] = {}
        self._staging: dict[str, Array] = {}
        self._addresses: dict[str, int] = {}
        self._shapes: dict[str, Shape] = {}
        self._seen: dict[tuple[int, ...], int] = {}
        self._graphs: dict[tuple[int, ...], Graph] = {}
        context = engine.create_execution_context()
        if context is None:
            raise BackendError(
                "TensorRT made no execution context", got="most likely too little GPU memory", mend="free GPU memory"
            )
        self._context: trt.IExecutionContext | None = context
        self._stream = cuda.stream()
        self._done = self._stream.event()
        try:
            self._allocate(context, {spec.name: _largest(engine, spec) for spec in self._inputs})
        except BaseException:
            self.close()
            raise

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; the arrays returned are the caller's.

        Raises:
            CudaError: a call of CUDA failed.
            InferenceError: TensorRT refuses the shapes or the inference.
        """
        context = self._context
        assert context is not None
        self._reshape(context, {name: array.shape for name, array in feeds.items()})
        sources = {name: self._source(name, array) for name, array in feeds.items()}
        if not self._copies:
            self._bind(context, {name: self._pinned.pointer(array) for name, array in sources.items()})
        key = tuple(self._pinned.address(array) for array in sources.values())
        if (graph := self._graphs.get(key)) is not None:
            graph.launch()
        else:
            self._enqueue(context, sources)
        self._done.record()
        self._done.wait()
        self._remember(context, key, sources)
        return {spec.name: np.array(self._view(spec)) for spec in self._outputs}

    def close(self) -> None:
        """Free everything, the context first."""
        self._forget_graphs()
        self._context = None
        for memory in self._memory.values():
            memory.close()
        self._memory, self._staging = {}, {}
        self._done.close()
        self._stream.close()

    def _allocate(self, context: trt.IExecutionContext, largest: Mapping[str, Shape]) -> None:
        for name, shape in largest.items():
            context.set_input_shape(name, shape)
        for spec in [*self._inputs, *self._outputs]:
            shape = largest[spec.name] if spec.name in largest else tuple(context.get_tensor_shape(spec.name))
            if min(shape, default=1) < 0:
                raise BackendError(
                    f"output {spec.name!r}",
                    got="a shape that depends on the data",
                    wanted="one that follows from the input's",
                    mend="cut the model before that operator, or run it with ONNX Runtime",
                )
            self._staging[spec.name] = self._pinned.make(shape, spec.dtype)
            if self._copies:
                self._memory[spec.name] = self._cuda.memory(max(1, math.prod(shape) * spec.dtype.itemsize))
        self._shapes = dict(largest)
        if self._copies:
            self._bind(context, {name: memory.pointer for name, memory in self._memory.items()})
        else:
            self._bind(context, {name: self._pinned.pointer(array) for name, array in self._staging.items()})

    def _reshape(self, context: trt.IExecutionContext, shapes: dict[str, Shape]) -> None:
        if shapes == self._shapes:
            return
        self._forget_graphs()
        self._shapes = {}
        for name, shape in shapes.items():
            if not context.set_input_shape(name, shape):
                raise InferenceError(f"input {name!r} of shape {list(shape)}", got="outside of the engine's profile")
        if missing := context.infer_shapes():
            raise InferenceError("shapes of the inference", got=f"nothing for {', '.join(missing)}")
        self._shapes = shapes

    def _bind(self, context: trt.IExecutionContext, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            if self._addresses.get(name) != address:
                if not context.set_tensor_address(name, address):
                    raise InferenceError(f"tensor {name!r}", got="an address that TensorRT refuses")
                self._addresses[name] = address

    def _source(self, name: str, array: Array) -> Array:
        """The array itself if the device can read it as it is, else a copy that it can read."""
        if self._pinned.has(array):
            return array
        staging = self._staging[name].reshape(-1)[: array.size].reshape(array.shape)
        np.copyto(staging, array)
        return staging

    def _enqueue(self, context: trt.IExecutionContext, sources: Mapping[str, Array]) -> None:
        if self._copies:
            for name, array in sources.items():
                self._stream.copy_in(self._memory[name].pointer, array)
        if not context.execute_async_v3(self._stream.handle):
            raise InferenceError("TensorRT refused the inference")
        if self._copies:
            for spec in self._outputs:
                self._stream.copy_out(self._view(spec), self._memory[spec.name].pointer)

    def _view(self, spec: TensorSpec) -> Array:
        """The part of an output's host memory that the inference under way fills."""
        context = self._context
        assert context is not None
        shape = tuple(context.get_tensor_shape(spec.name))
        return self._staging[spec.name].reshape(-1)[: math.prod(shape)].reshape(shape)

    def _remember(self, context: trt.IExecutionContext, key: tuple[int, ...], sources: Mapping[str, Array]) -> None:
        """Record what has come often enough. The context has run in these shapes before, as recording demands."""
        if not self._graphs_wanted or key in self._graphs:
            return
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] < _SEEN_BEFORE_RECORDING:
            return
        if len(self._graphs) >= _GRAPHS_KEPT:
            self._forget_graphs()
        try:
            self._graphs[key] = self._stream.record(lambda: self._enqueue(context, sources))
        except (CudaError, InferenceError) as error:
            if isinstance(error, CudaError) and error.lost:
                raise
            self._graphs_wanted = False
            log.info("inferences are not recorded as CUDA graphs: %s", error)

    def _forget_graphs(self) -> None:
        for graph in self._graphs.values():
            graph.close()
        self._graphs, self._seen = {}, {}


def _largest(engine: trt.ICudaEngine, spec: TensorSpec) -> Shape:
    if spec.static:
        return tuple(size or 0 for size in spec.shape)
    return tuple(engine.get_tensor_profile_shape(spec.name, 0)[2])
