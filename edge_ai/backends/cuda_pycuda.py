"""CUDA through pycuda, built from source on the machine (it has no wheels). It has no CUDA graphs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from edge_ai.backends.cuda_memory import Cuda, CudaError, DeviceInfo, Event, Graph, HostArray, Memory, Stream
from edge_ai.backends.tensors import Array, Shape

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING; pycuda gives it no name


def _driver() -> Any:
    import pycuda.driver as driver

    return driver


@contextmanager
def _errors() -> Iterator[None]:
    """pycuda names the call and the fault in the text of its error: "cuMemAlloc failed: out of memory"."""
    try:
        yield
    except _driver().Error as error:
        call, _, fault = str(error).partition(" failed: ")
        raise CudaError(call, fault or type(error).__name__) from error


class PyCuda(Cuda):
    """The CUDA driver API, in the device's primary context, which TensorRT uses, too."""

    name = "pycuda"
    graphs = False

    def __init__(self, device_id: int = 0) -> None:
        super().__init__(device_id)
        self._context: Any = None

    @classmethod
    def unfit(cls, device_id: int) -> str:
        """See `Cuda.unfit`."""
        if importlib.util.find_spec("pycuda") is None:
            return "not installed: pip install 'edge_ai[pycuda]' (needs the CUDA toolkit to build)"
        try:
            driver = _driver()
            with _errors():
                driver.init()
                count = driver.Device.count()
        except (CudaError, ImportError) as error:
            return str(error)
        return "" if device_id < count else f"device {device_id} asked for, but there are {count}"

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Cuda.current`: retaining the primary context does not make it current, and each thread has its stack."""
        with _errors():
            if self._context is None:
                _driver().init()
                self._context = _driver().Device(self.device_id).retain_primary_context()
            self._context.push()
        try:
            yield
        finally:
            with _errors():
                _driver().Context.pop()

    def info(self) -> DeviceInfo:
        """See `Cuda.info`."""
        driver = _driver()
        with _errors():
            device = driver.Device(self.device_id)
            major, minor = device.compute_capability()
            integrated = device.get_attribute(driver.device_attribute.INTEGRATED)
            return DeviceInfo(
                device.name(), (major, minor), device.total_memory(), bool(integrated), driver.get_driver_version()
            )

    def free_memory(self) -> int:
        """See `Cuda.free_memory`."""
        with _errors():
            return int(_driver().mem_get_info()[0])

    def memory(self, size: int) -> Memory:
        """See `Cuda.memory`."""
        with _errors():
            return _Memory(_driver().mem_alloc(size), size)

    def host_array(self, shape: Shape, dtype: np.dtype[np.generic], *, mapped: bool) -> HostArray:
        """See `Cuda.host_array`."""
        flags = _driver().host_alloc_flags
        with _errors():
            array = _driver().pagelocked_empty(
                shape, dtype, mem_flags=flags.PORTABLE | (flags.DEVICEMAP if mapped else 0)
            )
            array[...] = np.zeros((), dtype)
            return HostArray(array, int(array.base.get_device_pointer()) if mapped else 0)

    def stream(self) -> Stream:
        """See `Cuda.stream`."""
        with _errors():
            return _Stream(_driver().Stream(_NON_BLOCKING))


class _Memory(Memory):
    def __init__(self, block: Any, size: int) -> None:
        self._block: Any = block
        self.pointer, self.size = int(block), size

    def close(self) -> None:
        block, self._block = self._block, None
        if block is not None:
            with _errors():
                block.free()


class _Stream(Stream):
    def __init__(self, stream: Any) -> None:
        self._stream: Any = stream
        self.handle = int(stream.handle)

    def copy_in(self, target: int, source: Array) -> None:
        with _errors():
            _driver().memcpy_htod_async(target, source, self._stream)

    def copy_out(self, target: Array, source: int) -> None:
        with _errors():
            _driver().memcpy_dtoh_async(target, source, self._stream)

    def event(self, *, timed: bool = False) -> Event:
        return _Event(self._stream, timed)

    def record(self, work: Callable[[], None]) -> Graph:
        raise CudaError("stream capture", "not supported", "pycuda has no CUDA graphs: install cuda-bindings for them")

    def synchronize(self) -> None:
        with _errors():
            self._stream.synchronize()

    def close(self) -> None:
        self._stream = None


class _Event(Event):
    def __init__(self, stream: Any, timed: bool) -> None:
        flags = _driver().event_flags
        self._stream = stream
        with _errors():
            self._event = _driver().Event(flags.BLOCKING_SYNC | (0 if timed else flags.DISABLE_TIMING))

    def record(self) -> None:
        with _errors():
            self._event.record(self._stream)

    def wait(self) -> None:
        with _errors():
            self._event.synchronize()

    def since(self, earlier: Event) -> float:
        assert isinstance(earlier, _Event)
        with _errors():
            return float(self._event.time_since(earlier._event)) / 1e3

    def close(self) -> None:
        self._event = None
