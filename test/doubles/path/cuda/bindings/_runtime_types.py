"""The runtime API's numbers and types."""

from __future__ import annotations

import enum

from cuda.bindings._calls import Handle
from edge_ai_doubles import settings
from edge_ai_doubles.errors import CODES

cudaError_t = enum.IntEnum("cudaError_t", {names[0]: number for number, names in CODES.items()})

cudaHostAllocDefault, cudaHostAllocPortable, cudaHostAllocMapped, cudaHostAllocWriteCombined = 0, 1, 2, 4
cudaStreamDefault, cudaStreamNonBlocking = 0, 1
cudaEventDefault, cudaEventBlockingSync, cudaEventDisableTiming, cudaEventInterprocess = 0, 1, 2, 4
cudaStreamLegacy, cudaStreamPerThread = 1, 2


class cudaMemcpyKind(enum.IntEnum):
    """Which way a copy goes."""

    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3
    cudaMemcpyDefault = 4


class cudaStreamCaptureMode(enum.IntEnum):
    """Whose unsafe calls a capture forbids."""

    cudaStreamCaptureModeGlobal = 0
    cudaStreamCaptureModeThreadLocal = 1
    cudaStreamCaptureModeRelaxed = 2


class cudaStreamCaptureStatus(enum.IntEnum):
    """Whether a stream captures."""

    cudaStreamCaptureStatusNone = 0
    cudaStreamCaptureStatusActive = 1
    cudaStreamCaptureStatusInvalidated = 2


class cudaDeviceAttr(enum.IntEnum):
    """What one can ask of a device; the real one knows many more."""

    cudaDevAttrMultiProcessorCount = 16
    cudaDevAttrIntegrated = 18
    cudaDevAttrCanMapHostMemory = 19
    cudaDevAttrUnifiedAddressing = 41
    cudaDevAttrComputeCapabilityMajor = 75
    cudaDevAttrComputeCapabilityMinor = 76
    cudaDevAttrManagedMemory = 83
    cudaDevAttrConcurrentManagedAccess = 89


class cudaStream_t(Handle):
    """A stream."""


class cudaEvent_t(Handle):
    """An event."""


class cudaGraph_t(Handle):
    """A graph."""


class cudaGraphExec_t(Handle):
    """A graph made ready."""


class cudaDeviceProp:
    """A device's properties; the real one has many more."""

    def __init__(self) -> None:
        gpu = settings.gpu()
        self.name = gpu.name.encode()
        self.major, self.minor = gpu.cc
        self.integrated = int(gpu.integrated)
        self.totalGlobalMem = gpu.total_mib * settings.MIB
        self.multiProcessorCount = gpu.processors
        self.canMapHostMemory = self.unifiedAddressing = 1
