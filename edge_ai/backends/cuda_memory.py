"""What a GPU engine needs of CUDA: device and host memory, streams, events and graphs, whichever binding gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from edge_ai.backends.tensors import Array, Shape
from edge_ai.core.errors import BackendError, EdgeAIError
from edge_ai.core.registry import Registry

# As the runtime names them and as the driver words them, without case, spaces and underscores.
_LOST = (
    "devicesunavailable", "busyorunavailable", "illegaladdress", "illegalmemoryaccess", "illegalinstruction",
    "launchfail",
    "launchtimeout", "timedout", "hardwarestack", "eccuncorrectable", "uncorrectableecc", "nodevice", "capabledevice",
    "deviceuninitialized", "contextisdestroyed", "systemnotready", "unknown",
)  # fmt: skip
_FULL = ("memoryallocation", "outofmemory")


@dataclass(frozen=True)
class DeviceInfo:
    """A GPU.

    Attributes:
        name: as its driver calls it.
        compute_capability: major and minor.
        total: bytes of its memory; on an integrated GPU the machine's.
        integrated: whether it shares memory with the processor, as on a Jetson.
        driver: version of CUDA that the driver offers, such as 12060.
    """

    name: str
    compute_capability: tuple[int, int]
    total: int
    integrated: bool
    driver: int

    def __str__(self) -> str:
        major, minor = self.compute_capability
        return f"{self.name} (compute capability {major}.{minor}, {self.total >> 20} MiB)"


class HostArray(NamedTuple):
    """Pinned host memory, freed with the last reference to the array.

    Attributes:
        array: zeroed.
        pointer: where the device sees the same memory; 0 where it is not mapped.
    """

    array: Array
    pointer: int


class Memory(ABC):
    """Memory on the device."""

    pointer: int
    size: int

    @abstractmethod
    def close(self) -> None:
        """Free it; harmless when done already."""


class Graph(ABC):
    """Work recorded once, to be launched often."""

    @abstractmethod
    def launch(self) -> None:
        """Queue it on the stream that it was recorded on."""

    @abstractmethod
    def close(self) -> None:
        """Free it."""


class Event(ABC):
    """A mark on a stream."""

    @abstractmethod
    def record(self) -> None:
        """Set the mark behind all that is queued by now."""

    @abstractmethod
    def wait(self) -> None:
        """Sleep, not spin, until the device has come to the mark; other Python threads run meanwhile."""

    @abstractmethod
    def since(self, earlier: Event) -> float:
        """Seconds on the device between two marks that were both waited for."""

    @abstractmethod
    def close(self) -> None:
        """Free it."""


class Stream(ABC):
    """A queue of work on the device, beside all other streams; never the default stream, which waits for others."""

    handle: int

    @abstractmethod
    def copy_in(self, target: int, source: Array) -> None:
        """Queue a copy from host memory, C-contiguous, to a device pointer."""

    @abstractmethod
    def copy_out(self, target: Array, source: int) -> None:
        """Queue a copy from a device pointer to host memory, C-contiguous."""

    @abstractmethod
    def event(self, *, timed: bool = False) -> Event:
        """A mark for this stream; only between timed ones can be measured."""

    @abstractmethod
    def record(self, work: Callable[[], None]) -> Graph:
        """Record what ``work`` queues here instead of running it; memory must be pinned or on the device.

        Raises:
            CudaError: something in it cannot be recorded; the stream is usable all the same.
        """

    @abstractmethod
    def synchronize(self) -> None:
        """Wait for all that is queued."""

    @abstractmethod
    def close(self) -> None:
        """Free it."""


class Cuda(ABC):
    """One CUDA device through one Python binding. Making one touches nothing.

    Every call but `unfit` and `current` needs to be made within `current()`, on any thread.

    Args:
        device_id: which of several devices.
    """

    name: ClassVar[str]
    graphs: ClassVar[bool]

    def __init__(self, device_id: int = 0) -> None:
        self.device_id = device_id

    @classmethod
    @abstractmethod
    def unfit(cls, device_id: int) -> str:
        """Why this binding cannot be used here for that device; empty if it can."""

    @abstractmethod
    def current(self) -> AbstractContextManager[None]:
        """Make the device current on the calling thread, and undo it after."""

    @abstractmethod
    def info(self) -> DeviceInfo:
        """What device it is."""

    @abstractmethod
    def free_memory(self) -> int:
        """Bytes free on the device."""

    @abstractmethod
    def memory(self, size: int) -> Memory:
        """Memory on the device, of at least one byte.

        Raises:
            CudaError: there is not enough.
        """

    @abstractmethod
    def host_array(self, shape: Shape, dtype: np.dtype[np.generic], *, mapped: bool) -> HostArray:
        """Pinned host memory, mapped into the device's addresses or not.

        Raises:
            CudaError: there is not enough.
        """

    @abstractmethod
    def stream(self) -> Stream:
        """A new stream."""


class CudaError(BackendError):
    """A call of CUDA failed.

    Attributes:
        lost: the device will not answer this process again.
        out_of_memory: there was not enough memory.
    """

    def __init__(self, call: str, name: str, words: str = "") -> None:
        plain = name.lower().replace("_", "").replace(" ", "")
        self.lost = any(sign in plain for sign in _LOST)
        self.out_of_memory = any(sign in plain for sign in _FULL)
        mend = ""
        if self.out_of_memory:
            mend = "free GPU memory: a smaller model, max_batch or engine_workspace, or fewer programs beside this one"
        elif self.lost:
            mend = "restart the process; if it comes again look at `dmesg` and the power supply"
        super().__init__(f"CUDA: {call}", got=f"{name} ({words})" if words else name, mend=mend)


BINDINGS: Registry[type[Cuda]] = Registry(
    "CUDA binding",
    {
        "pycuda": "edge_ai.backends.cuda_pycuda:PyCuda",
        "cuda-bindings": "edge_ai.backends.cuda_runtime:CudaRuntime",
    },
)
"""Every binding, in the order in which "auto" looks for them: pycuda is there only where somebody wanted it."""


def bind(name: str, device_id: int = 0) -> Cuda:
    """The binding of that name, or the first that can be used.

    Raises:
        BackendError: none can; says of each why not.
    """
    reasons = []
    for candidate in BINDINGS.names() if name == "auto" else (name,):
        kind = BINDINGS.load(candidate)
        if not (reason := kind.unfit(device_id)):
            return kind(device_id)
        reasons.append(f"{candidate}: {reason}")
    raise BackendError("no CUDA device can be used", got="; ".join(reasons))


def unfit(name: str, device_id: int = 0) -> str:
    """Why `bind` would fail; empty if it would not."""
    try:
        bind(name, device_id)
    except EdgeAIError as error:
        return str(error)
    return ""
