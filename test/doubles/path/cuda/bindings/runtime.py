"""The CUDA runtime API: a thread that has no context gets the primary one by itself."""

from __future__ import annotations

from typing import Any

from cuda.bindings._calls import LAST, address, answering
from cuda.bindings._runtime_types import *  # noqa: F403
from cuda.bindings._runtime_types import (
    cudaDeviceAttr,
    cudaDeviceProp,
    cudaError_t,
    cudaEvent_t,
    cudaGraph_t,
    cudaGraphExec_t,
    cudaMemcpyKind,
    cudaStream_t,
    cudaStreamCaptureMode,
    cudaStreamCaptureStatus,
)
from edge_ai_doubles import contexts, copies, errors, memory, settings, state, streams
from edge_ai_doubles.errors import CODES, INVALID_VALUE, NOT_READY, CudaError


def _api(outputs: int, alive: bool = True) -> Any:
    return answering(cudaError_t, outputs, alive)


def _stream(stream: Any) -> streams.Stream:
    return streams.look_up(int(stream or 0), contexts.bound())


def _event(event: Any) -> streams.Event:
    contexts.bound()
    found = streams.look_up_kind(int(event), streams.Event)
    assert isinstance(found, streams.Event)
    return found


# The device -----------------------------------------------------------------------------------------------------------


@_api(1)
def cudaGetDeviceCount() -> int:
    state.check_device()
    return settings.gpu().devices


@_api(0)
def cudaSetDevice(device: int) -> None:
    contexts.set_device(device)


@_api(1)
def cudaGetDevice() -> int:
    state.check_device()
    context = contexts.current()
    return context.device if context else 0


@_api(0)
def cudaDeviceSynchronize() -> None:
    contexts.bound()
    streams.run_all()


@_api(0, alive=False)
def cudaDeviceReset() -> None:
    for context in list(state.NOW.primary.values()):
        context.destroy()
    state.NOW.primary.clear()


@_api(1)
def cudaGetDeviceProperties(device: int) -> cudaDeviceProp:
    state.check_device(device)
    return cudaDeviceProp()


@_api(1)
def cudaDeviceGetAttribute(attr: cudaDeviceAttr, device: int) -> int:
    state.check_device(device)
    gpu = settings.gpu()
    return {
        cudaDeviceAttr.cudaDevAttrMultiProcessorCount: gpu.processors,
        cudaDeviceAttr.cudaDevAttrIntegrated: int(gpu.integrated),
        cudaDeviceAttr.cudaDevAttrCanMapHostMemory: 1,
        cudaDeviceAttr.cudaDevAttrUnifiedAddressing: 1,
        cudaDeviceAttr.cudaDevAttrComputeCapabilityMajor: gpu.cc[0],
        cudaDeviceAttr.cudaDevAttrComputeCapabilityMinor: gpu.cc[1],
        cudaDeviceAttr.cudaDevAttrManagedMemory: 1,
        cudaDeviceAttr.cudaDevAttrConcurrentManagedAccess: int(not gpu.integrated),
    }[cudaDeviceAttr(attr.value)]


@_api(1, alive=False)
def cudaDriverGetVersion() -> int:
    return 0 if settings.fault("no_device") else settings.gpu().driver


@_api(1, alive=False)
def cudaRuntimeGetVersion() -> int:
    return settings.gpu().driver


@_api(2)
def cudaMemGetInfo() -> tuple[int, int]:
    contexts.bound()
    return memory.free_bytes(), settings.gpu().total_mib * settings.MIB


# Errors ---------------------------------------------------------------------------------------------------------------


def cudaGetErrorString(error: cudaError_t) -> tuple[cudaError_t, bytes]:
    return cudaError_t(0), CODES[error.value][2].encode()


def cudaGetErrorName(error: cudaError_t) -> tuple[cudaError_t, bytes]:
    return cudaError_t(0), CODES[error.value][0].encode()


def cudaPeekAtLastError() -> tuple[cudaError_t]:
    return (cudaError_t(state.NOW.lost or getattr(LAST, "code", 0)),)


def cudaGetLastError() -> tuple[cudaError_t]:
    answer = cudaPeekAtLastError()
    LAST.code = 0
    return answer


# Memory ---------------------------------------------------------------------------------------------------------------


@_api(1)
def cudaMalloc(size: int) -> int:
    context = contexts.bound()
    streams.refuse_unsafe()
    return memory.allocate(size, context).address if size else 0


@_api(0)
def cudaFree(devPtr: Any) -> None:
    contexts.bound()
    streams.refuse_unsafe()
    if address(devPtr):
        streams.run_all()
        memory.free(address(devPtr))


@_api(1)
def cudaHostAlloc(size: int, flags: int) -> int:
    context = contexts.bound()
    streams.refuse_unsafe()
    if flags & ~7:
        raise CudaError(INVALID_VALUE)
    return memory.allocate(size, context, host=True, mapped=bool(flags & 2)).address if size else 0


@_api(1)
def cudaMallocHost(size: int) -> int:
    context = contexts.bound()
    streams.refuse_unsafe()
    return memory.allocate(size, context, host=True).address if size else 0


@_api(0)
def cudaFreeHost(ptr: Any) -> None:
    contexts.bound()
    streams.refuse_unsafe()
    if address(ptr):
        streams.run_all()
        memory.free(address(ptr), host=True)


@_api(1)
def cudaHostGetDevicePointer(pHost: Any, flags: int) -> int:
    contexts.bound()
    block = memory.find(address(pHost))
    if block is None or not block.host or not block.mapped or flags:
        raise CudaError(INVALID_VALUE)
    return address(pHost)


@_api(0)
def cudaMemcpyAsync(dst: Any, src: Any, count: int, kind: cudaMemcpyKind, stream: Any) -> None:
    copies.enqueue(_stream(stream), address(dst), address(src), count, kind.value)


@_api(0)
def cudaMemcpy(dst: Any, src: Any, count: int, kind: cudaMemcpyKind) -> None:
    context = contexts.bound()
    streams.refuse_unsafe()
    stream = streams.look_up(0, context)
    copies.enqueue(stream, address(dst), address(src), count, kind.value)
    stream.run()


@_api(0)
def cudaMemsetAsync(devPtr: Any, value: int, count: int, stream: Any) -> None:
    target = address(devPtr)
    memory.check(target, count, device=True)
    content = bytes([value & 255]) * count

    def work() -> None:
        memory.kernel_view(target, count)[:] = content

    _stream(stream).enqueue(work)


# Streams and events ---------------------------------------------------------------------------------------------------


@_api(1)
def cudaStreamCreate() -> cudaStream_t:
    return cudaStream_t(streams.Stream(contexts.bound()).handle)


@_api(1)
def cudaStreamCreateWithFlags(flags: int) -> cudaStream_t:
    if flags not in (0, 1):
        raise CudaError(INVALID_VALUE)
    return cudaStream_t(streams.Stream(contexts.bound(), blocking=flags == 0).handle)


@_api(0)
def cudaStreamDestroy(stream: Any) -> None:
    found = _stream(stream)
    if found.handle != int(stream):
        raise CudaError(errors.INVALID_HANDLE)
    found.run()
    del state.NOW.handles[found.handle]


@_api(0)
def cudaStreamSynchronize(stream: Any) -> None:
    found = _stream(stream)
    found.refuse_capture()
    found.run()


@_api(0)
def cudaStreamQuery(stream: Any) -> None:
    found = _stream(stream)
    found.refuse_capture()
    if found.queue:
        found.step()
        raise CudaError(NOT_READY)


@_api(0)
def cudaStreamWaitEvent(stream: Any, event: Any, flags: int) -> None:
    streams.wait_event(_stream(stream), _event(event))


@_api(1)
def cudaEventCreate() -> cudaEvent_t:
    return cudaEvent_t(streams.Event(contexts.bound()).handle)


@_api(1)
def cudaEventCreateWithFlags(flags: int) -> cudaEvent_t:
    if flags & ~7:
        raise CudaError(INVALID_VALUE)
    return cudaEvent_t(streams.Event(contexts.bound(), timing=not flags & 2).handle)


@_api(0)
def cudaEventRecord(event: Any, stream: Any) -> None:
    _event(event).record(_stream(stream))


@_api(0)
def cudaEventSynchronize(event: Any) -> None:
    _event(event).wait()


@_api(0)
def cudaEventQuery(event: Any) -> None:
    if not _event(event).poll():
        raise CudaError(NOT_READY)


@_api(1)
def cudaEventElapsedTime(start: Any, end: Any) -> float:
    return _event(end).since(_event(start))


@_api(0)
def cudaEventDestroy(event: Any) -> None:
    del state.NOW.handles[_event(event).handle]


# Graphs ---------------------------------------------------------------------------------------------------------------


@_api(0)
def cudaStreamBeginCapture(stream: Any, mode: cudaStreamCaptureMode) -> None:
    streams.begin_capture(_stream(stream), mode.value)


@_api(1)
def cudaStreamEndCapture(stream: Any) -> cudaGraph_t:
    return cudaGraph_t(streams.end_capture(_stream(stream)).handle)


@_api(1)
def cudaStreamIsCapturing(stream: Any) -> cudaStreamCaptureStatus:
    capture = _stream(stream).capture
    return cudaStreamCaptureStatus(0 if capture is None else 1 if capture.valid else 2)


@_api(1)
def cudaGraphInstantiate(graph: Any, flags: int) -> cudaGraphExec_t:
    contexts.bound()
    found = streams.look_up_kind(int(graph), streams.Graph)
    assert isinstance(found, streams.Graph)
    return cudaGraphExec_t(streams.Executable(found).handle)


@_api(0)
def cudaGraphLaunch(graphExec: Any, stream: Any) -> None:
    found = streams.look_up_kind(int(graphExec), streams.Executable)
    assert isinstance(found, streams.Executable)
    found.launch(_stream(stream))


@_api(0)
def cudaGraphDestroy(graph: Any) -> None:
    streams.look_up_kind(int(graph), streams.Graph)
    del state.NOW.handles[int(graph)]


@_api(0)
def cudaGraphExecDestroy(graphExec: Any) -> None:
    streams.look_up_kind(int(graphExec), streams.Executable)
    del state.NOW.handles[int(graphExec)]
