"""The contract every engine keeps, shown on the one that is always there."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from edge_ai.backends.base import Array, Backend, TensorSpec
from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.core.errors import BackendError, ModelError


@pytest.fixture
def backend(make_model, make_options):
    with OnnxRuntimeBackend(make_options()) as backend:
        backend.activate(make_model())
        yield backend


def feeds(shape=(1, 3)):
    return {"left": np.ones(shape, np.float32), "right": np.full(shape, 2, np.float32)}


def test_answers(backend):
    answer = backend.infer(feeds())
    assert list(answer) == ["total", "twice"]
    np.testing.assert_array_equal(answer["total"], [[3, 3, 3]])
    np.testing.assert_array_equal(answer["twice"], [[2, 2, 2]])


def test_says_what_the_model_takes(backend):
    assert backend.inputs["left"] == TensorSpec("left", np.dtype(np.float32), (1, 3))
    assert list(backend.outputs) == ["total", "twice"]
    assert str(backend.inputs["left"]) == "float32 [1, 3]"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"left": np.ones((1, 3), np.float32)}, ["got left", "wanted left, right"]),
        ({}, ["got none"]),
        ({**feeds(), "third": np.ones(1, np.float32)}, ["third"]),
        ({**feeds(), "left": np.ones((1, 3))}, ["'left'", "got float64 [1, 3]", "wanted float32 [1, 3]"]),
        ({**feeds(), "left": np.ones((1, 4), np.float32)}, ["got float32 [1, 4]"]),
        ({**feeds(), "left": np.ones(3, np.float32)}, ["got float32 [3]"]),
        ({**feeds(), "left": [[1.0, 1.0, 1.0]]}, ["got list", "numpy array"]),
    ],
)
def test_refuses_wrong_feeds(backend, wrong, words):
    with pytest.raises(BackendError) as caught:
        backend.infer(wrong)
    assert all(word in str(caught.value) for word in words)
    assert backend.infer(feeds())["total"].sum() == 9


def test_open_dimensions_take_any_size_but_nothing_empty(make_model, make_options):
    with OnnxRuntimeBackend(make_options()) as backend:
        backend.activate(make_model(("batch", 3)))
        assert backend.inputs["left"].shape == (None, 3)
        for batch in (1, 4, 100):
            assert backend.infer(feeds((batch, 3)))["total"].shape == (batch, 3)
        with pytest.raises(BackendError, match=r"wanted float32 \[\?, 3\]"):
            backend.infer(feeds((0, 3)))


def test_no_inference_before_or_after(make_model, make_options):
    backend = OnnxRuntimeBackend(make_options())
    for call in (lambda: backend.infer(feeds()), lambda: backend.allocate("left"), lambda: backend.warm_up(1)):
        with pytest.raises(BackendError, match="not active"):
            call()
    backend.activate(make_model())
    with pytest.raises(BackendError, match="active already"):
        backend.activate(make_model())
    backend.deactivate()
    backend.deactivate()
    assert not backend.active
    assert backend.inputs == {}
    with pytest.raises(BackendError, match="not active"):
        backend.infer(feeds())
    backend.activate(make_model())
    assert backend.infer(feeds())["total"].sum() == 9


def test_outputs_are_the_callers(backend):
    first = backend.infer(feeds())
    kept = first["total"].copy()
    first_again = backend.infer({"left": np.zeros((1, 3), np.float32), "right": np.zeros((1, 3), np.float32)})
    np.testing.assert_array_equal(first["total"], kept)
    first["total"][:] = 7
    assert first_again["total"].sum() == 0


def test_outputs_outlive_the_backend(make_model, make_options):
    backend = OnnxRuntimeBackend(make_options())
    backend.activate(make_model())
    total = backend.infer(feeds())["total"]
    backend.deactivate()
    np.testing.assert_array_equal(total, [[3, 3, 3]])


def test_takes_a_strided_array(backend):
    wide = np.arange(6, dtype=np.float32).reshape(1, 6)
    answer = backend.infer({"left": wide[:, ::2], "right": np.zeros((1, 3), np.float32)})
    np.testing.assert_array_equal(answer["total"], [[0, 2, 4]])


def test_allocate(make_model, make_options):
    with OnnxRuntimeBackend(make_options()) as backend:
        backend.activate(make_model(("batch", 3)))
        assert backend.allocate("left").shape == (1, 3)
        assert backend.allocate("left", batch=4).shape == (4, 3)
        assert backend.allocate("left").dtype == np.float32
        with pytest.raises(BackendError, match="no input 'centre'"):
            backend.allocate("centre")
        backend.deactivate()
        backend.activate(make_model(("batch", 3, "height", "width")))
        assert backend.allocate("left", shape=(1, 3, 8, 8)).shape == (1, 3, 8, 8)
        for wrong in ({}, {"shape": (1, 4, 8, 8)}):
            with pytest.raises(BackendError, match=r"wanted float32 \[\?, 3, \?, \?\]"):
                backend.allocate("left", **wrong)


def test_warm_up_runs(backend, make_options, make_model):
    runs = []
    counted = Counted(make_options(), lambda: runs.append(1))
    counted.activate(make_model())
    counted.warm_up(3)
    assert len(runs) == 3
    backend.warm_up(0)
    backend.warm_up(2)


@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), (b"", "an empty file")])
def test_refuses_a_missing_or_empty_file(tmp_path, make_options, content, words):
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    backend = OnnxRuntimeBackend(make_options())
    with pytest.raises(ModelError, match=words) as caught:
        backend.activate(path)
    assert str(path) in str(caught.value)
    assert not backend.active


class Counted(Backend):
    """An engine that answers its inputs and tells when it runs."""

    name = "counted"

    def __init__(self, options, during=lambda: None):
        super().__init__(options)
        self._during = during
        self.inside = self.most = 0
        self.freed_while_running = False
        self.frees = 0

    @classmethod
    def unfit(cls, model_path, options):
        return ""

    def _activate(self, model_path: Path):
        spec = TensorSpec("x", np.dtype(np.float32), (1,))
        return [spec], [spec], "counted"

    def _infer(self, feeds: Mapping[str, Array]):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self._during()
        self.inside -= 1
        return {"x": feeds["x"].copy()}

    def _deactivate(self):
        self.frees += 1
        self.freed_while_running |= self.inside > 0


class CountedConcurrent(Counted):
    concurrent = True


X = {"x": np.ones(1, np.float32)}


def run_in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_one_at_a_time_unless_concurrent(make_options, make_model):
    pause = threading.Event()
    backend = Counted(make_options(), lambda: pause.wait(0.01))
    backend.activate(make_model())
    run_in_threads(4, lambda: backend.infer(X))
    assert backend.most == 1


def test_several_at_once_when_concurrent(make_options, make_model):
    meeting = threading.Barrier(3, timeout=20)
    backend = CountedConcurrent(make_options(), meeting.wait)
    backend.activate(make_model())
    run_in_threads(3, lambda: backend.infer(X))
    assert not meeting.broken


def test_deactivate_waits_for_inferences_under_way(make_options, make_model):
    begun, release = threading.Event(), threading.Event()

    def during():
        begun.set()
        assert release.wait(20)

    backend = CountedConcurrent(make_options(), during)
    backend.activate(make_model())
    inferring = threading.Thread(target=lambda: backend.infer(X))
    inferring.start()
    assert begun.wait(20)
    freeing = threading.Thread(target=backend.deactivate)
    freeing.start()
    freeing.join(0.05)
    assert freeing.is_alive()
    assert backend.frees == 0
    release.set()
    freeing.join(20)
    inferring.join(20)
    assert backend.frees == 1
    assert not backend.freed_while_running


def test_importing_and_making_loads_no_engine():
    code = (
        "import sys; from edge_ai.backends.select import choose; from edge_ai.backends.onnxrt import *;"
        "from edge_ai.backends.options import BackendOptions;"
        "OnnxRuntimeBackend(BackendOptions(backend='auto', providers=('cpu',), threads=1, spinning='none'));"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
