"""pycuda.driver, as far as the package could touch it. It has no stream capture and no graphs."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from edge_ai_doubles import contexts, copies, memory, settings, state, streams
from edge_ai_doubles.errors import CODES, NOT_INITIALIZED, OUT_OF_MEMORY, CudaError
from edge_ai_doubles.state import NOW


class Error(Exception):
    """A call of the driver failed: "cuMemAlloc failed: out of memory"."""


class LogicError(Error):
    """The caller's mistake."""


class MemoryError(Error):
    """There is not enough memory."""


class RuntimeError(Error):
    """The device's or the driver's mistake."""


class device_attribute:
    """Numbers of attributes."""

    INTEGRATED = 18


class host_alloc_flags:
    """For page-locked memory."""

    PORTABLE, DEVICEMAP, WRITECOMBINED = 1, 2, 4


class event_flags:
    """For events."""

    DEFAULT, BLOCKING_SYNC, DISABLE_TIMING, INTERPROCESS = 0, 1, 2, 4


@contextlib.contextmanager
def _call(name: str) -> Iterator[None]:
    with state.LOCK:
        try:
            if not NOW.initialised and name not in ("cuInit", "cuDriverGetVersion"):
                raise CudaError(NOT_INITIALIZED)
            state.check_alive()
            yield
        except CudaError as error:
            kind = MemoryError if error.code == OUT_OF_MEMORY else RuntimeError if error.code >= 600 else LogicError
            raise kind(f"{name} failed: {CODES[error.code][2]}") from None


def init(flags: int = 0) -> None:
    """Begin."""
    with _call("cuInit"):
        state.check_device()
        NOW.initialised = True


def get_driver_version() -> int:
    """Such as 12060."""
    return settings.gpu().driver


class Device:
    """One device."""

    def __init__(self, number: int) -> None:
        with _call("cuDeviceGet"):
            state.check_device(number)
        self._number = number

    @staticmethod
    def count() -> int:
        """How many there are."""
        with _call("cuDeviceGetCount"):
            return settings.gpu().devices

    def name(self) -> str:
        """Its name."""
        return settings.gpu().name

    def compute_capability(self) -> tuple[int, int]:
        """Major and minor."""
        return settings.gpu().cc

    def total_memory(self) -> int:
        """Bytes."""
        return settings.gpu().total_mib * settings.MIB

    def get_attribute(self, attribute: int) -> int:
        """A number."""
        return {device_attribute.INTEGRATED: int(settings.gpu().integrated)}[attribute]

    def retain_primary_context(self) -> Context:
        """The primary context, which does not become current by this."""
        with _call("cuDevicePrimaryCtxRetain"):
            return Context(contexts.retain_primary(self._number))


class Context:
    """A context."""

    def __init__(self, inner: contexts.Context) -> None:
        self._inner = inner

    def push(self) -> None:
        """Make it current on this thread; it may still work when the device does not any more."""
        if not NOW.initialised:
            raise LogicError("cuCtxPushCurrent failed: initialization error")
        contexts.stack().append(self._inner)

    @staticmethod
    def pop() -> None:
        """Make the one before current again."""
        if not contexts.stack():
            raise LogicError("cuCtxPopCurrent failed: invalid device context")
        contexts.stack().pop()

    @staticmethod
    def synchronize() -> None:
        """Wait for all work."""
        with _call("cuCtxSynchronize"):
            contexts.required()
            streams.run_all()


def mem_get_info() -> tuple[int, int]:
    """Bytes free and in all."""
    with _call("cuMemGetInfo"):
        contexts.required()
        return memory.free_bytes(), settings.gpu().total_mib * settings.MIB


class DeviceAllocation:
    """Memory on the device, freed when forgotten."""

    def __init__(self, address: int) -> None:
        self._address: int | None = address

    def __int__(self) -> int:
        if self._address is None:
            raise LogicError("device_allocation::free failed: invalid argument")
        return self._address

    __index__ = __int__

    def free(self) -> None:
        """Free it; twice is a mistake."""
        with _call("cuMemFree"):
            contexts.required()
            address, self._address = int(self), None
            memory.free(address)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if self._address in NOW.blocks:
                memory.free(int(self))


def mem_alloc(size: int) -> DeviceAllocation:
    """Memory on the device."""
    with _call("cuMemAlloc"):
        streams.refuse_unsafe()
        return DeviceAllocation(memory.allocate(size, contexts.required()).address)


class PagelockedHostAllocation:
    """Page-locked memory, the base of an array."""

    def __init__(self, block: memory.Block, shape: Any, dtype: np.dtype[Any]) -> None:
        self._block = block
        self.__array_interface__ = {
            "shape": tuple(shape),
            "typestr": dtype.str,
            "data": (block.address, False),
            "version": 3,
        }

    def get_device_pointer(self) -> int:
        """Where the device sees it."""
        with _call("cuMemHostGetDevicePointer"):
            contexts.required()
            if not self._block.mapped:
                raise CudaError(1)
            return self._block.address

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            memory.free(self._block.address, host=True)


def pagelocked_empty(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> np.ndarray[Any, Any]:
    """An array of page-locked memory."""
    dtype = np.dtype(dtype)
    size = builtins.max(1, int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
    with _call("cuMemHostAlloc"):
        streams.refuse_unsafe()
        mapped = bool(mem_flags & host_alloc_flags.DEVICEMAP)
        block = memory.allocate(size, contexts.required(), host=True, mapped=mapped)
        return np.asarray(PagelockedHostAllocation(block, shape, dtype))


class Stream:
    """A stream; flag 1 is one beside the default stream."""

    def __init__(self, flags: int = 0) -> None:
        with _call("cuStreamCreate"):
            self._inner = streams.Stream(contexts.required(), blocking=not flags & 1)

    handle = property(lambda self: self._inner.handle)

    def synchronize(self) -> None:
        """Wait for its work."""
        with _call("cuStreamSynchronize"):
            streams.look_up(self.handle, contexts.required())
            self._inner.run()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            NOW.handles.pop(self.handle, None)


class Event:
    """An event."""

    def __init__(self, flags: int = 0) -> None:
        with _call("cuEventCreate"):
            self._inner = streams.Event(contexts.required(), timing=not flags & event_flags.DISABLE_TIMING)

    def record(self, stream: Stream | None = None) -> Event:
        """Set it behind the work of a stream."""
        with _call("cuEventRecord"):
            self._inner.record(streams.look_up(stream.handle if stream else 0, contexts.required()))
        return self

    def synchronize(self) -> Event:
        """Wait for it."""
        with _call("cuEventSynchronize"):
            contexts.required()
            self._inner.wait()
        return self

    def time_since(self, event: Event) -> float:
        """Milliseconds since another."""
        with _call("cuEventElapsedTime"):
            return self._inner.since(event._inner)


def memcpy_htod_async(dest: Any, src: Any, stream: Stream | None = None) -> None:
    """Queue a copy to the device."""
    with _call("cuMemcpyHtoDAsync"):
        view = memoryview(src)
        _copy(int(dest), _address(src), view.nbytes, copies.HOST_TO_DEVICE, stream)


def memcpy_dtoh_async(dest: Any, src: Any, stream: Stream | None = None) -> None:
    """Queue a copy from the device."""
    with _call("cuMemcpyDtoHAsync"):
        view = memoryview(dest)
        if view.readonly:
            raise TypeError("read-only buffer")
        _copy(_address(dest), int(src), view.nbytes, copies.DEVICE_TO_HOST, stream)


def _copy(target: int, source: int, count: int, kind: int, stream: Stream | None) -> None:
    context = contexts.required()
    copies.enqueue(streams.look_up(stream.handle if stream else 0, context), target, source, count, kind)


def _address(buffer: Any) -> int:
    view = memoryview(buffer)
    if not view.c_contiguous:
        raise ValueError("ndarray is not contiguous")
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0])
