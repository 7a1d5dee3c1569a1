"""CUDA through NVIDIA's cuda-bindings, which has wheels for Jetson and PC (12.9 for JetPack 6, 13 for JetPack 7)."""

from __future__ import annotations

import ctypes
import importlib.util
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from edge_ai.backends.cuda_memory import Cuda, CudaError, DeviceInfo, Event, Graph, HostArray, Memory, Stream
from edge_ai.backends.tensors import Array, Shape

_NOT_INSTALLED = "not installed: pip install 'edge_ai[cuda12]' (JetPack 6) or 'edge_ai[cuda13]' (JetPack 7)"


def _runtime() -> Any:
    from cuda.bindings import runtime

    return runtime


def _call(name: str, *arguments: Any) -> Any:
    """Call a function of the runtime; what it returns beside the error."""
    runtime = _runtime()
    try:
        error, *values = getattr(runtime, name)(*arguments)
    except RuntimeError as missing:  # the driver's library is not there
        raise CudaError(name, "no driver", str(missing)) from None
    if error != runtime.cudaError_t.cudaSuccess:
        raise CudaError(name, error.name, _words(runtime, error))
    return values[0] if len(values) == 1 else tuple(values)


def _words(runtime: Any, error: Any) -> str:
    words = runtime.cudaGetErrorString(error)[1]
    return words.decode() if isinstance(words, bytes) else str(words)


class CudaRuntime(Cuda):
    """The CUDA runtime API; it works in the primary context, as TensorRT does."""

    name = "cuda-bindings"
    graphs = True

    @classmethod
    def unfit(cls, device_id: int) -> str:
        """See `Cuda.unfit`."""
        try:
            if importlib.util.find_spec("cuda.bindings") is None:
                return _NOT_INSTALLED
            count = _call("cudaGetDeviceCount")
        except ModuleNotFoundError:
            return _NOT_INSTALLED
        except (CudaError, ImportError) as error:
            return str(error)
        return "" if device_id < count else f"device {device_id} asked for, but there are {count}"

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Cuda.current`; the primary context stays with the thread, so there is nothing to undo."""
        _call("cudaSetDevice", self.device_id)
        yield

    def info(self) -> DeviceInfo:
        """See `Cuda.info`."""
        attributes = _runtime().cudaDeviceAttr

        def attribute(name: str) -> int:
            return int(_call("cudaDeviceGetAttribute", getattr(attributes, name), self.device_id))

        name = _call("cudaGetDeviceProperties", self.device_id).name
        return DeviceInfo(
            (name.decode() if isinstance(name, bytes) else str(name)).rstrip("\0"),
            (attribute("cudaDevAttrComputeCapabilityMajor"), attribute("cudaDevAttrComputeCapabilityMinor")),
            int(_call("cudaMemGetInfo")[1]),
            bool(attribute("cudaDevAttrIntegrated")),
            int(_call("cudaDriverGetVersion")),
        )

    def free_memory(self) -> int:
        """See `Cuda.free_memory`."""
        return int(_call("cudaMemGetInfo")[0])

    def memory(self, size: int) -> Memory:
        """See `Cuda.memory`."""
        return _Memory(int(_call("cudaMalloc", size)), size)

    def host_array(self, shape: Shape, dtype: np.dtype[np.generic], *, mapped: bool) -> HostArray:
        """See `Cuda.host_array`."""
        size = max(1, math.prod(shape) * dtype.itemsize)
        block = _HostBlock(size, mapped)
        array = np.asarray(block)[: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
        return HostArray(array, block.device_pointer)

    def stream(self) -> Stream:
        """See `Cuda.stream`."""
        return _Stream(_call("cudaStreamCreateWithFlags", _runtime().cudaStreamNonBlocking))


class _HostBlock:
    """Pinned bytes that numpy sees; freed when the last array over them goes."""

    def __init__(self, size: int, mapped: bool) -> None:
        runtime = _runtime()
        flags = runtime.cudaHostAllocPortable | (runtime.cudaHostAllocMapped if mapped else 0)
        self._pointer = int(_call("cudaHostAlloc", size, flags))
        self.device_pointer = int(_call("cudaHostGetDevicePointer", self._pointer, 0)) if mapped else 0
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (self._pointer, False), "version": 3}
        ctypes.memset(self._pointer, 0, size)

    def __del__(self) -> None:
        # At the interpreter's end, or with the device gone, there is nothing left to free.
        with suppress(Exception):
            _call("cudaFreeHost", self._pointer)


class _Memory(Memory):
    def __init__(self, pointer: int, size: int) -> None:
        self.pointer, self.size = pointer, size

    def close(self) -> None:
        pointer, self.pointer = self.pointer, 0
        if pointer:
            _call("cudaFree", pointer)


class _Stream(Stream):
    def __init__(self, stream: Any) -> None:
        self._stream: Any = stream
        self.handle = int(stream)

    def copy_in(self, target: int, source: Array) -> None:
        self._copy(target, _address(source), source.nbytes, "cudaMemcpyHostToDevice")

    def copy_out(self, target: Array, source: int) -> None:
        self._copy(_address(target), source, target.nbytes, "cudaMemcpyDeviceToHost")

    def event(self, *, timed: bool = False) -> Event:
        return _Event(self._stream, timed)

    def record(self, work: Callable[[], None]) -> Graph:
        # Thread-local: other threads may allocate meanwhile.
        mode = _runtime().cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        _call("cudaStreamBeginCapture", self._stream, mode)
        try:
            work()
        except BaseException:
            with suppress(CudaError):
                _call("cudaStreamEndCapture", self._stream)
            with suppress(CudaError):
                _call("cudaGetLastError")
            raise
        graph = _call("cudaStreamEndCapture", self._stream)
        try:
            return _Graph(_call("cudaGraphInstantiate", graph, 0), self._stream)
        finally:
            _call("cudaGraphDestroy", graph)

    def synchronize(self) -> None:
        _call("cudaStreamSynchronize", self._stream)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            _call("cudaStreamDestroy", stream)

    def _copy(self, target: int, source: int, size: int, kind: str) -> None:
        _call("cudaMemcpyAsync", target, source, size, getattr(_runtime().cudaMemcpyKind, kind), self._stream)


class _Event(Event):
    def __init__(self, stream: Any, timed: bool) -> None:
        runtime = _runtime()
        flags = runtime.cudaEventBlockingSync | (0 if timed else runtime.cudaEventDisableTiming)
        self._stream, self._event = stream, _call("cudaEventCreateWithFlags", flags)

    def record(self) -> None:
        _call("cudaEventRecord", self._event, self._stream)

    def wait(self) -> None:
        _call("cudaEventSynchronize", self._event)

    def since(self, earlier: Event) -> float:
        assert isinstance(earlier, _Event)
        return float(_call("cudaEventElapsedTime", earlier._event, self._event)) / 1e3

    def close(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            _call("cudaEventDestroy", event)


class _Graph(Graph):
    def __init__(self, graph: Any, stream: Any) -> None:
        self._graph, self._stream = graph, stream

    def launch(self) -> None:
        _call("cudaGraphLaunch", self._graph, self._stream)

    def close(self) -> None:
        graph, self._graph = self._graph, None
        if graph is not None:
            _call("cudaGraphExecDestroy", graph)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
