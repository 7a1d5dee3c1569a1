"""The TensorRT backend: on doubles of every version and binding here, on the real device with --gpu."""

from __future__ import annotations

import contextlib
import gc
import threading

import numpy as np
import pytest

from edge_ai.backends import cuda_memory, trt_api
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.engine_key import environment, key_for
from edge_ai.backends.engine_manifest import Verdict
from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.select import choose
from edge_ai.backends.trt import TensorRTBackend
from edge_ai.backends.trt_build import build
from edge_ai.core.errors import BackendError, DeviceLostError, EdgeAIError, EngineError, InferenceError


@pytest.fixture
def engine_options(make_options, tmp_path):
    """Options for the model of `make_model`, whose open first dimension is 1 to 4."""

    def make(machine, **engine):
        shape = ((1, 3), (2, 3), (4, 3))
        values = {"precision": "fp32", "cuda": machine.binding, "engine_cache": str(tmp_path / "engines"), **engine}
        return make_options(engine=EngineParams(**values), shapes={"left": shape, "right": shape})

    return make


@pytest.fixture
def make_engine():
    """Builds an engine as the build process does, and writes a verdict."""

    def make(path, options, passed=True):
        cuda = cuda_memory.bind(options.engine.cuda)
        with cuda.current():
            info, version = cuda.info(), trt_api.load().__version__
            built = build(path, options, cuda, progress=lambda *_: True)
            cache = EngineCache.at(options.engine.engine_cache)
            entry = cache.store(key_for(path, options, info, version), built.plan)
        if passed is None:
            return entry
        verdict = Verdict(passed=passed, reason="it is a test", environment=environment(info, version))
        return cache.judge(entry, verdict)

    return make


@pytest.fixture
def active(make_model, engine_options, make_engine):
    """An active backend for a machine."""
    with contextlib.ExitStack() as stack:

        def make(machine, shape=(1, 3), lanes=2, **engine):
            path, options = make_model(shape), engine_options(machine, **engine)
            make_engine(path, options)
            backend = TensorRTBackend(options, lanes=lanes)
            backend.activate(path)
            stack.callback(backend.deactivate)
            return backend

        yield make


def feeds(rows=1, seed=0):
    random = np.random.default_rng(seed)
    return {name: random.random((rows, 3), np.float32) for name in ("left", "right")}


def check(outputs, given):
    assert np.allclose(outputs["total"], given["left"] + given["right"], rtol=1e-3)
    assert np.allclose(outputs["twice"], 2 * given["left"], rtol=1e-3)


def test_answers_and_says_what_it_is(gpu_machine, active):
    backend = active(gpu_machine)
    assert set(backend.inputs) == {"left", "right"}
    assert set(backend.outputs) == {"total", "twice"}
    assert backend.inputs["left"].shape == (1, 3)
    assert backend.inputs["left"].dtype == np.float32
    assert trt_api.load().__version__ in backend.description
    assert "fp32" in backend.description
    for seed in range(6):
        given = feeds(seed=seed)
        check(backend.infer(given), given)


def test_answers_are_the_callers_own(gpu_machine, active):
    backend = active(gpu_machine)
    first = backend.infer(feeds(seed=1))
    kept = {name: array.copy() for name, array in first.items()}
    backend.infer(feeds(seed=2))
    assert all(np.array_equal(first[name], kept[name]) for name in kept)


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "no graphs"])
def test_its_own_buffers_are_read_each_time(gpu_machine, active, graphs):
    backend = active(gpu_machine, cuda_graphs=graphs)
    given = {name: backend.allocate(name) for name in backend.inputs}
    for seed in range(6):
        for name, array in feeds(seed=seed).items():
            given[name][...] = array
        check(backend.infer(given), given)


def test_mixed_buffers_and_others_arrays(gpu_machine, active):
    backend = active(gpu_machine)
    own = backend.allocate("left")
    for seed in range(6):
        values = feeds(seed=seed)
        own[...] = values["left"]
        given = {"left": own if seed % 2 else values["left"], "right": values["right"]}
        check(backend.infer(given), values)


def test_batches_of_every_size_in_any_order(gpu_machine, active):
    backend = active(gpu_machine, ("n", 3))
    whole = {name: backend.allocate(name, 4) for name in backend.inputs}
    for seed, rows in enumerate((1, 4, 2, 2, 3, 3, 3, 1, 1, 1, 4)):
        given = feeds(rows, seed)
        check(backend.infer(given), given)
        for name, array in given.items():
            whole[name][:rows] = array
        check(backend.infer({name: array[:rows] for name, array in whole.items()}), given)


def test_a_batch_beyond_the_profile_is_refused_and_the_next_is_served(gpu_machine, active):
    backend = active(gpu_machine, ("n", 3))
    with pytest.raises(InferenceError, match="outside of the engine's profile"):
        backend.infer(feeds(5))
    given = feeds(4)
    check(backend.infer(given), given)


def test_several_threads_at_once(gpu_machine, active):
    backend, wrong = active(gpu_machine, ("n", 3), lanes=2), []

    def work(number):
        own = {name: backend.allocate(name, 4) for name in backend.inputs}
        for turn in range(25):
            rows = 1 + (turn // 5 + number) % 4
            given = feeds(rows, 100 * number + turn)
            for name, array in given.items():
                own[name][:rows] = array
            try:
                check(backend.infer({name: array[:rows] for name, array in own.items()}), given)
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("binding", ["pycuda", "cuda-bindings"])
@pytest.mark.parametrize("integrated", [True, False])
def test_up_and_down_frees_the_device(double_gpu, active, binding, integrated):
    machine = double_gpu(binding=binding, gpu={"integrated": integrated})
    backend = active(machine)
    path = EngineCache.at(backend.options.engine.engine_cache).entries()[0].plan_path
    backend.deactivate()
    before = free(machine)
    for _ in range(3):
        backend.activate(path)
        backend.infer(feeds())
        backend.deactivate()
    gc.collect()
    assert free(machine) == before


def free(machine):
    cuda = cuda_memory.bind(machine.binding)
    with cuda.current():
        return cuda.free_memory()


def test_its_own_buffers_are_not_copied_on_the_host(one_gpu_machine, active, monkeypatch):
    backend, copied = active(one_gpu_machine), []
    given = {name: backend.allocate(name) for name in backend.inputs}
    plain = np.copyto
    monkeypatch.setattr("edge_ai.backends.trt_lane.np.copyto", lambda *a, **k: copied.append(a) or plain(*a, **k))
    backend.infer(given)
    assert not copied
    backend.infer({name: array.copy() for name, array in given.items()})
    assert len(copied) == 2


def test_an_engine_for_several_versions_is_judged_again_and_runs(double_gpu, make_model, engine_options, make_engine):
    path = make_model()
    options = engine_options(double_gpu(trt="10.3.0"), engine_version_compatible=True)
    make_engine(path, options)
    with TensorRTBackend(options) as backend:
        backend.activate(path)
        check(backend.infer(feeds()), feeds())
    double_gpu(trt="10.13.3")
    with pytest.raises(EngineError, match=r"judged under TensorRT 10\.3\.0"):
        TensorRTBackend(options).activate(path)
    with TensorRTBackend(options, unjudged=True) as backend:
        backend.activate(path)
        check(backend.infer(feeds()), feeds())


def test_an_engine_for_several_gpus_runs_on_another(double_gpu, make_model, engine_options, make_engine):
    path = make_model()
    options = engine_options(double_gpu(), engine_for="ampere_plus")
    make_engine(path, options)
    double_gpu(gpu={"name": "NVIDIA RTX", "cc": [8, 9], "integrated": False})
    with TensorRTBackend(options) as backend:
        backend.activate(path)
        check(backend.infer(feeds()), feeds())


def test_an_engine_for_dla_runs_on_the_core_it_was_built_for(double_gpu, make_model, engine_options, make_engine):
    path = make_model()
    options = engine_options(double_gpu(gpu={"dla_cores": 2}), precision="fp16", dla_core=1)
    make_engine(path, options)
    with TensorRTBackend(options) as backend:
        backend.activate(path)
        check(backend.infer(feeds()), feeds())


def test_auto_takes_tensorrt_where_it_is(gpu_machine, make_model, engine_options):
    assert choose(make_model(), engine_options(gpu_machine)).name == "tensorrt"


def test_an_engine_must_be_there_first(gpu_machine, make_model, engine_options):
    with pytest.raises(EngineError, match="edge-ai compile"):
        TensorRTBackend(engine_options(gpu_machine)).activate(make_model())


def test_an_engine_that_was_not_judged_does_not_serve(gpu_machine, make_model, engine_options, make_engine):
    path, options = make_model(), engine_options(gpu_machine)
    make_engine(path, options, passed=None)
    with pytest.raises(EngineError, match="not judged yet"):
        TensorRTBackend(options).activate(path)
    with TensorRTBackend(options, unjudged=True) as backend:
        backend.activate(path)
        check(backend.infer(feeds()), feeds())


def test_an_engine_that_was_refused_does_not_serve(gpu_machine, make_model, engine_options, make_engine):
    path, options = make_model(), engine_options(gpu_machine)
    make_engine(path, options, passed=False)
    with pytest.raises(EngineError, match="it is a test"):
        TensorRTBackend(options).activate(path)


def test_a_new_driver_wants_a_new_verdict(double_gpu, make_model, engine_options, make_engine):
    machine = double_gpu()
    path, options = make_model(), engine_options(machine)
    make_engine(path, options)
    double_gpu(gpu={"driver": 12080})
    with pytest.raises(EngineError, match=r"judged under TensorRT 10.3.0, driver 12060, not under .*12080"):
        TensorRTBackend(options).activate(path)


@pytest.mark.parametrize("change", [{"trt": "10.13.3"}, {"gpu": {"name": "Thor", "cc": [11, 0]}}])
def test_another_version_or_gpu_has_no_engine_yet(double_gpu, make_model, engine_options, make_engine, change):
    path, options = make_model(), engine_options(double_gpu())
    entry = make_engine(path, options)
    double_gpu(**change)
    with pytest.raises(EngineError, match="no engine of"):
        TensorRTBackend(options).activate(path)
    with pytest.raises(EngineError), unread(double_gpu):
        TensorRTBackend(options).activate(entry.plan_path)


@contextlib.contextmanager
def unread(double_gpu):
    """Nothing is deserialised meanwhile."""
    before = double_gpu.deserialized()
    yield
    assert double_gpu.deserialized() == before


@pytest.mark.parametrize("victim", ["engine.plan", "manifest.json"])
def test_a_changed_file_is_not_even_looked_into(double_gpu, make_model, engine_options, make_engine, victim):
    path, options = make_model(), engine_options(double_gpu())
    entry = make_engine(path, options)
    data = bytearray((entry.folder / victim).read_bytes())
    data[len(data) // 2] ^= 1
    (entry.folder / victim).write_bytes(data)
    before = double_gpu.deserialized()
    with pytest.raises(EngineError):
        TensorRTBackend(options).activate(path)
    assert double_gpu.deserialized() == before


def test_an_engine_without_a_manifest_is_refused(double_gpu, make_model, engine_options, make_engine, tmp_path):
    options = engine_options(double_gpu())
    entry = make_engine(make_model(), options)
    alone = tmp_path / "alone.engine"
    alone.write_bytes(entry.plan_path.read_bytes())
    before = double_gpu.deserialized()
    with pytest.raises(EngineError, match="edge-ai compile"):
        TensorRTBackend(options).activate(alone)
    assert double_gpu.deserialized() == before


def test_another_users_signature_is_refused(double_gpu, make_model, engine_options, make_engine, monkeypatch, tmp_path):
    path, options = make_model(), engine_options(double_gpu())
    make_engine(path, options)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(EngineError, match="does not verify"):
        TensorRTBackend(options).activate(path)


def test_what_tensorrt_refuses_is_told_in_its_words(double_gpu, make_model, engine_options, make_engine):
    path, options = make_model(), engine_options(double_gpu())
    make_engine(path, options)
    double_gpu(fault="deserialize_refuses")
    with pytest.raises(EngineError, match="it is built again") as caught:
        TensorRTBackend(options).activate(path)
    assert "TensorRT refuses it" not in str(caught.value), "its log says more"


def test_too_little_memory_to_start(double_gpu, make_model, engine_options, make_engine):
    path, options = make_model(), engine_options(double_gpu())
    make_engine(path, options)
    double_gpu(fault="cuda_out_of_memory:0.001")
    backend = TensorRTBackend(options)
    with pytest.raises(EdgeAIError, match="memory"):
        backend.activate(path)
    assert not backend.active
    double_gpu(fault="")
    backend.activate(path)
    check(backend.infer(feeds()), feeds())
    backend.deactivate()


def test_an_inference_that_fails_is_told_and_the_next_is_served(double_gpu, active):
    backend = active(double_gpu())
    double_gpu.set_fault("execute_fails")
    with pytest.raises(InferenceError) as caught:
        backend.infer(feeds())
    assert not isinstance(caught.value, DeviceLostError)
    double_gpu.set_fault("")
    check(backend.infer(feeds()), feeds())


@pytest.mark.parametrize("binding", ["pycuda", "cuda-bindings"])
def test_a_lost_device_is_told_apart(double_gpu, active, binding):
    backend = active(double_gpu(binding=binding))
    double_gpu.set_fault("device_lost:1")
    with pytest.raises(DeviceLostError, match="dmesg"):
        infer_often(backend)
    with pytest.raises(DeviceLostError):
        backend.infer(feeds())
    backend.deactivate()


def infer_often(backend):
    for _ in range(4):
        backend.infer(feeds())


@pytest.mark.parametrize("integrated", [True, False])
def test_what_is_copied(double_gpu, active, integrated):
    backend = active(double_gpu(gpu={"integrated": integrated}))
    given = {name: backend.allocate(name) for name in backend.inputs}
    backend.infer(given)
    before = double_gpu.copies()
    backend.infer(given)
    assert double_gpu.copies() - before == (0 if integrated else 4)


def test_model_files_of_another_kind(double_gpu, engine_options):
    double_gpu()
    with pytest.raises(BackendError, match=r"\.onnx files and engines"):
        TensorRTBackend(engine_options(double_gpu())).activate(__file__)


def test_without_tensorrt(make_model, make_options):
    if trt_api.unfit() == "":
        pytest.skip("TensorRT is here")
    assert "JetPack" in TensorRTBackend.unfit(make_model(), make_options())
