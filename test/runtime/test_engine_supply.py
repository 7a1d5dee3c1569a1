"""Who serves, from the first frame on, whatever becomes of the engine."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.core.errors import DeviceLostError, InferenceError, ModelError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.agreement import card_feeds, difference, made_pictures
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest
from edge_ai.runtime.engine_supply import EngineSupply
from edge_ai.runtime.model import Model, backend_for, backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card

PATIENCE = 120  # s


@pytest.fixture
def card():
    return ModelCard.load(shipped_card())


@pytest.fixture
def params(tmp_path):
    def make(machine, **values):
        return InferenceParams(cuda=machine.binding, engine_cache=str(tmp_path / "engines"), **values)

    return make


@pytest.fixture
def supply(card, params):
    """An active supply; closed at the end."""
    made = []

    def make(machine, **values):
        backend = backend_for(shipped_card(), card, params(machine, **values))
        assert isinstance(backend, EngineSupply)
        made.append(backend)
        backend.activate(card.model_path)
        return backend

    yield make
    for backend in made:
        backend.deactivate()


@pytest.fixture
def built(card, params):
    """Builds the engine first, as `edge-ai compile` does."""

    def make(machine, **values):
        EngineBuild(
            EngineRequest(card=str(shipped_card()), options=backend_options(card, params(machine, **values)))
        ).run()

    return make


@pytest.fixture(scope="module")
def picture():
    card = ModelCard.load(shipped_card())
    return next(iter(card_feeds(card)))


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_onnx_runtime_serves_until_the_engine_takes_over(one_gpu_machine, supply, card, picture):
    backend = supply(one_gpu_machine)
    assert "ONNX Runtime" in backend.description
    assert "no engine" in backend.note or "is made" in backend.note
    first, count = backend.infer(picture), 1
    while "TensorRT" not in backend.description or backend.note:
        assert set(backend.infer(picture)) == set(first), "every inference of the change-over is answered"
        count += 1
        assert count < 10_000
    after = backend.infer(picture)
    assert all(difference(after[name], first[name]) < 0.05 for name in first)
    assert backend.note == ""


def test_an_engine_that_is_there_serves_from_the_start(one_gpu_machine, supply, built, picture):
    built(one_gpu_machine)
    backend = supply(one_gpu_machine)
    assert "TensorRT" in backend.description
    assert backend.note == ""
    assert backend.infer(picture)


def test_a_build_that_fails_is_told_while_onnx_runtime_serves(double_gpu, supply, picture):
    backend = supply(double_gpu(fault="build_fails"))
    until(lambda: "serves in place" in backend.note, "the build should have failed")
    assert "at layer" in backend.note
    assert "ONNX Runtime" in backend.description
    assert backend.infer(picture)


@pytest.mark.parametrize("fault", ["engine_wrong", "engine_nan"])
def test_an_engine_that_answers_nonsense_never_serves(double_gpu, supply, picture, fault):
    backend = supply(double_gpu(fault=fault))
    until(lambda: "serves in place" in backend.note or "TensorRT" in backend.description, "neither")
    assert "ONNX Runtime" in backend.description
    assert all(np.isfinite(array).all() for array in backend.infer(picture).values())


def test_the_last_good_engine_serves_while_another_is_built(double_gpu, supply, built, picture):
    machine = double_gpu()
    built(machine, precision="fp32")
    double_gpu.set_fault("build_slow:3")
    backend = supply(machine, precision="fp16")
    assert "TensorRT" in backend.description
    assert "fp32" in backend.description
    assert backend.infer(picture)
    until(lambda: "fp16" in backend.description, "the new engine should serve")


def test_a_changed_engine_is_not_run_and_onnx_runtime_serves(double_gpu, supply, built, params, picture):
    machine = double_gpu()
    built(machine)
    (entry,) = EngineCache.at(params(machine).engine_cache).entries()
    entry.plan_path.write_bytes(b"#!/bin/sh\nrm -rf /\n")
    before = double_gpu.deserialized()
    backend = supply(machine)
    assert "ONNX Runtime" in backend.description
    assert "not those which were built" in backend.note
    assert double_gpu.deserialized() == before
    assert backend.infer(picture)


def test_a_lost_device_is_replaced_by_the_processor(double_gpu, supply, built, picture):
    machine = double_gpu()
    built(machine)
    backend = supply(machine)
    assert "TensorRT" in backend.description
    double_gpu.set_fault("device_lost:1")
    with pytest.raises(DeviceLostError):
        infer_often(backend, picture)
    until(lambda: "ONNX Runtime" in backend.description, "the processor should take over")
    assert backend.infer(picture)
    assert "dmesg" in backend.note


def infer_often(backend, picture):
    for _ in range(5):
        backend.infer(picture)


def test_an_engine_that_keeps_failing_is_replaced(double_gpu, supply, built, picture):
    machine = double_gpu()
    built(machine)
    backend = supply(machine)
    double_gpu.set_fault("execute_fails")
    for _ in range(5):
        with pytest.raises(InferenceError):
            backend.infer(picture)
    until(lambda: "ONNX Runtime" in backend.description, "the processor should take over")
    assert backend.infer(picture)


def test_failures_now_and_then_do_not_replace_it(double_gpu, supply, built, picture):
    machine = double_gpu()
    built(machine)
    backend = supply(machine, cuda_graphs=False)  # which would run without asking TensorRT
    for _ in range(4):
        for _ in range(4):
            double_gpu.set_fault("execute_fails")
            with pytest.raises(InferenceError):
                backend.infer(picture)
        double_gpu.set_fault("")
        backend.infer(picture)
    assert "TensorRT" in backend.description


def test_frames_go_on_while_the_engine_is_replaced_under_load(double_gpu, supply, picture):
    """Several workers infer without a break; not one of them sees the change."""
    backend = supply(double_gpu(), workers=2)
    failures, done, stop = [], [0, 0], threading.Event()

    def work(number):
        own = {name: backend.allocate(name) for name in backend.inputs}
        while not stop.is_set():
            for name, array in picture.items():
                own[name][...] = array
            try:
                backend.infer(own)
                done[number] += 1
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: "TensorRT" in backend.description, "the engine should serve")
        seen = list(done)
        until(lambda: all(now > before + 3 for now, before in zip(done, seen, strict=True)), "it should go on")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_closing_ends_a_build_at_once(double_gpu, card, params):
    backend = backend_for(shipped_card(), card, params(double_gpu(fault="build_slow:60")))
    backend.activate(card.model_path)
    time.sleep(0.5)
    began = time.monotonic()
    backend.deactivate()
    assert time.monotonic() - began < 10


def test_up_and_down_again(double_gpu, card, params, built, picture):
    machine = double_gpu()
    built(machine)
    backend = backend_for(shipped_card(), card, params(machine))
    for _ in range(3):
        backend.activate(card.model_path)
        assert backend.infer(picture)
        backend.deactivate()


def test_a_model_that_is_none_stops_the_start(double_gpu, card, params, tmp_path):
    backend = backend_for(shipped_card(), card, params(double_gpu()))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError):
        backend.activate(broken)


def test_a_whole_model_detects_the_same(one_gpu_machine, built, params, make_frame):
    built(one_gpu_machine)
    image = next(made_pictures())
    fast = Model.load(params(one_gpu_machine, score_threshold=0.05))
    plain = Model.load(InferenceParams(backend="onnxruntime", score_threshold=0.05))
    try:
        assert "TensorRT" in fast.backend.description
        assert isinstance(plain.backend, OnnxRuntimeBackend)
        got, wanted = (model(make_frame(image=image)).detections for model in (fast, plain))
        assert len(wanted) > 0
        assert np.array_equal(got.class_ids, wanted.class_ids)
        assert np.allclose(got.scores, wanted.scores, atol=0.01)
        assert np.allclose(got.boxes, wanted.boxes, atol=1.0)
    finally:
        fast.close()
        plain.close()
