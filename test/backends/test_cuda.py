"""The CUDA contract, through each binding: on doubles here, on the real device with --gpu."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge_ai.backends.cuda_memory import BINDINGS, CudaError, bind, unfit
from edge_ai.core.errors import BackendError


@pytest.fixture
def cuda(gpu_binding):
    cuda = bind(gpu_binding.binding)
    with cuda.current():
        yield cuda


def test_info(cuda, gpu_binding):
    info = cuda.info()
    assert info.name
    assert info.name == info.name.strip("\0")
    assert info.compute_capability >= (5, 3)
    assert info.total >= cuda.free_memory() > 0
    assert info.driver >= 11000
    assert info.name in str(info)
    if not gpu_binding.real:
        assert (info.name, info.compute_capability, info.integrated) == ("Orin", (8, 7), True)


def test_a_round_trip_through_the_device(cuda):
    source = np.arange(12, dtype=np.float32).reshape(3, 4)
    target = np.zeros_like(source)
    stream, memory = cuda.stream(), cuda.memory(source.nbytes)
    there, back = (cuda.host_array(source.shape, source.dtype, mapped=False).array for _ in range(2))
    there[...] = source
    stream.copy_in(memory.pointer, there)
    stream.copy_out(back, memory.pointer)
    stream.synchronize()
    target[...] = back
    assert np.array_equal(source, target)
    memory.close()
    memory.close()
    stream.close()


def test_host_arrays_are_zeroed_and_whole(cuda):
    array, pointer = cuda.host_array((2, 3), np.dtype(np.int32), mapped=False)
    assert array.shape == (2, 3)
    assert array.dtype == np.int32
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert not array.any()
    assert pointer == 0


def test_mapped_arrays_are_seen_by_the_device(cuda):
    array, pointer = cuda.host_array((4,), np.dtype(np.float32), mapped=True)
    array[...] = (1, 2, 3, 4)
    assert pointer != 0
    stream = cuda.stream()
    back = cuda.host_array((4,), np.dtype(np.float32), mapped=False).array
    stream.copy_out(back, pointer)
    stream.synchronize()
    assert back.tolist() == [1, 2, 3, 4]


def test_events_mark_and_measure(cuda):
    stream = cuda.stream()
    first, last, plain = stream.event(timed=True), stream.event(timed=True), stream.event()
    first.record()
    plain.record()
    last.record()
    plain.wait()
    last.wait()
    assert last.since(first) >= 0
    for event in (first, last, plain):
        event.close()


def test_recorded_work_is_launched_again_and_again(cuda):
    if not cuda.graphs:
        pytest.skip(f"{cuda.name} has no CUDA graphs")
    stream, memory = cuda.stream(), cuda.memory(16)
    array = cuda.host_array((4,), np.dtype(np.float32), mapped=False).array
    back = cuda.host_array((4,), np.dtype(np.float32), mapped=False).array
    array[...] = 1

    def work():
        stream.copy_in(memory.pointer, array)
        stream.copy_out(back, memory.pointer)

    graph = stream.record(work)
    assert not back.any(), "recording does not run"
    for value in (2, 3):
        array[...] = value
        graph.launch()
        stream.synchronize()
        assert back.tolist() == [value] * 4
    graph.close()
    graph.close()


def test_a_failure_while_recording_leaves_the_stream_usable(cuda):
    if not cuda.graphs:
        pytest.skip(f"{cuda.name} has no CUDA graphs")
    stream = cuda.stream()

    def work():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        stream.record(work)
    with pytest.raises(CudaError):
        stream.record(stream.synchronize)
    memory = cuda.memory(16)
    array = cuda.host_array((4,), np.dtype(np.float32), mapped=False).array
    stream.copy_in(memory.pointer, array)
    stream.synchronize()


def test_without_graphs_recording_is_refused_in_words(gpu_binding):
    without = [name for name in BINDINGS.names() if not BINDINGS.load(name).graphs]
    assert without == ["pycuda"]
    if gpu_binding.real or gpu_binding.binding not in without:
        pytest.skip("this one has them")
    cuda = bind(gpu_binding.binding)
    with cuda.current(), pytest.raises(CudaError, match="cuda-bindings"):
        cuda.stream().record(lambda: None)


def test_more_memory_than_there_is(cuda):
    with pytest.raises(CudaError, match="free GPU memory") as caught:
        cuda.memory(1 << 46)
    assert caught.value.out_of_memory
    assert not caught.value.lost
    cuda.memory(64).close()


def test_each_thread_makes_the_device_current_for_itself(gpu_binding):
    cuda, failures = bind(gpu_binding.binding), []

    def work():
        try:
            with cuda.current():
                stream, memory = cuda.stream(), cuda.memory(64)
                stream.copy_in(memory.pointer, np.zeros(16, np.float32))
                stream.synchronize()
                memory.close()
                with cuda.current():
                    cuda.free_memory()
                cuda.free_memory()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_device_that_is_not_there(gpu_binding):
    assert unfit(gpu_binding.binding) == ""
    assert "device 63" in unfit(gpu_binding.binding, 63)
    with pytest.raises(BackendError, match="device 63"):
        bind(gpu_binding.binding, 63)


def test_no_device_at_all(double_gpu):
    machine = double_gpu(fault="no_device")
    assert "no CUDA device can be used" in unfit(machine.binding)
    assert {name for name in BINDINGS.names() if name in unfit("auto")} == set(BINDINGS.names())


def test_nothing_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = unfit("auto")
    assert "edge_ai[cuda12]" in said
    assert "edge_ai[pycuda]" in said


def test_auto_prefers_pycuda_for_nobody_has_it_by_accident(double_gpu):
    double_gpu()
    assert bind("auto").name == "pycuda"


@pytest.mark.parametrize(
    ("name", "lost", "full"),
    [
        ("cudaErrorIllegalAddress", True, False),
        ("cudaErrorDevicesUnavailable", True, False),
        ("an illegal memory access was encountered", True, False),
        ("cudaErrorMemoryAllocation", False, True),
        ("out of memory", False, True),
        ("cudaErrorInvalidValue", False, False),
    ],
)
def test_errors_say_what_they_mean(name, lost, full):
    error = CudaError("cudaSomething", name, "words")
    assert (error.lost, error.out_of_memory) == (lost, full)
    assert "CUDA: cudaSomething" in str(error)
    assert name in str(error)
