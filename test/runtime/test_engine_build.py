"""The build process, for real: a process of its own that builds the shipped model's engine, or dies trying."""

from __future__ import annotations

import shutil
import threading
import time

import psutil
import pytest

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.core.errors import BackendError, EdgeAIError, EngineError, ModelError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


@pytest.fixture
def request_for(tmp_path):
    """What to build of the shipped model."""

    def make(machine, card=None, again=False, **values):
        params = InferenceParams(cuda=machine.binding, engine_cache=str(tmp_path / "engines"), **values)
        path = card or shipped_card()
        return EngineRequest(card=str(path), options=backend_options(ModelCard.load(path), params), again=again)

    return make


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def children():
    return [
        child for child in psutil.Process().children(recursive=True) if "engine_worker" in " ".join(child.cmdline())
    ]


def test_an_engine_is_built_judged_and_found_again(one_gpu_machine, request_for, cache):
    said = []
    folder = EngineBuild(request_for(one_gpu_machine), say=said.append).run()
    entry = cache.read(folder)
    assert entry.manifest.verdict.passed
    assert "answers differ by" in entry.manifest.verdict.reason
    assert any(words.startswith("building") for words in said)
    built = entry.plan_path.stat().st_mtime_ns
    assert EngineBuild(request_for(one_gpu_machine)).run() == folder
    assert entry.plan_path.stat().st_mtime_ns == built, "found, not built"
    assert EngineBuild(request_for(one_gpu_machine, again=True)).run() == folder
    assert entry.plan_path.stat().st_mtime_ns > built, "built again"
    assert not children()


def test_a_driver_update_has_the_engine_judged_again_not_built(double_gpu, request_for, cache):
    folder = EngineBuild(request_for(double_gpu())).run()
    before = cache.read(folder)
    EngineBuild(request_for(double_gpu(gpu={"driver": 12080}))).run()
    after = cache.read(folder)
    assert after.manifest.built == before.manifest.built
    assert after.manifest.verdict.environment["driver"] == "12080"


@pytest.mark.parametrize("fault", ["engine_wrong", "engine_nan"])
def test_an_engine_that_answers_nonsense_is_refused_and_stays_so(double_gpu, request_for, cache, fault):
    machine = double_gpu(fault=fault)
    with pytest.raises(EngineError, match=r"the gate refuses.*edge-ai compile CARD --again"):
        EngineBuild(request_for(machine)).run()
    (entry,) = cache.entries()
    assert not entry.manifest.verdict.passed
    said = []
    with pytest.raises(EngineError, match="the gate refuses"):
        EngineBuild(request_for(machine), say=said.append).run()
    assert not said, "neither built nor judged again"
    EngineBuild(request_for(double_gpu(fault=""), again=True)).run()
    (entry,) = cache.entries()
    assert entry.manifest.verdict.passed


def test_a_build_that_fails_keeps_the_engine_before(double_gpu, request_for, cache):
    folder = EngineBuild(request_for(double_gpu())).run()
    before = cache.plan(cache.read(folder))
    with pytest.raises(BackendError, match=r"at layer .*; try raise engine_workspace|at layer"):
        EngineBuild(request_for(double_gpu(fault="build_fails"), again=True)).run()
    assert cache.plan(cache.read(folder)) == before


def test_a_build_that_crashes_is_told_with_its_signal(double_gpu, request_for, cache):
    with pytest.raises(BackendError, match=r"SIG[A-Z]+: TensorRT or its driver crashed"):
        EngineBuild(request_for(double_gpu(fault="build_crashes"))).run()
    assert cache.entries() == []
    assert not list(cache.root.glob(".new-*"))


def test_a_build_that_eats_memory_is_ended(double_gpu, request_for):
    machine = double_gpu(fault="build_eats_memory:700,build_slow:20")
    began = time.monotonic()
    with pytest.raises(BackendError, match=r"MiB of memory, limit 600 MiB.*raise build_memory"):
        EngineBuild(request_for(machine), memory_limit=600 << 20).run()
    assert time.monotonic() - began < 20
    assert not children()


def test_a_build_is_stopped_at_once(double_gpu, request_for):
    build, raised = EngineBuild(request_for(double_gpu(fault="build_slow:60"))), []

    def run():
        try:
            build.run()
        except EdgeAIError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 30
    while not children() and time.monotonic() < deadline:
        time.sleep(0.05)
    build.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert "told to stop" in str(raised[0])
    assert not children()


def test_a_build_ends_with_the_node_that_asked(double_gpu, request_for, tmp_path):
    """The parent is killed outright: nobody is left to stop the build but the build."""
    import subprocess
    import sys

    request = request_for(double_gpu(fault="build_slow:60"))
    program = (
        "import sys; from edge_ai.runtime.engine_build import EngineBuild;"
        "from edge_ai.runtime.engine_job import EngineRequest;"
        "EngineBuild(EngineRequest.model_validate_json(sys.argv[1]), say=lambda w: print(w, flush=True)).run()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, request.model_dump_json()], stdout=subprocess.PIPE, text=True
    )
    for line in parent.stdout:
        if line.startswith("building"):
            break
    (worker,) = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    worker.wait(10)


def test_a_full_disk_is_told_and_leaves_nothing(double_gpu, request_for, tmp_path):
    (tmp_path / "engines").write_text("a file where the folder should be")
    with pytest.raises(EngineError, match="set engine_cache elsewhere"):
        EngineBuild(request_for(double_gpu())).run()


@pytest.mark.parametrize("damage", ["truncated", "other"])
def test_a_model_that_is_not_the_cards(double_gpu, request_for, tmp_path, damage):
    shipped = shipped_card()
    model = ModelCard.load(shipped).model_path
    shutil.copytree(shipped.parent, tmp_path, dirs_exist_ok=True)
    card = tmp_path / shipped.name
    data = model.read_bytes()
    (tmp_path / model.name).write_bytes(data[:-1000] if damage == "truncated" else b"no model")
    with pytest.raises(ModelError):
        EngineBuild(request_for(double_gpu(), card=card)).run()


def test_tensorrts_chatter_does_not_reach_the_answers(double_gpu, request_for):
    assert EngineBuild(request_for(double_gpu())).run().is_dir()
