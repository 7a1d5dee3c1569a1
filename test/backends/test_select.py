from __future__ import annotations

import pytest

from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.backends.select import BACKENDS, choose
from edge_ai.core.errors import BackendError


@pytest.mark.parametrize("backend", ["auto", "onnxruntime"])
def test_chooses_onnx_runtime_for_onnx(make_options, backend):
    chosen = choose("some/model.onnx", make_options(backend=backend))
    assert isinstance(chosen, OnnxRuntimeBackend)
    assert not chosen.active


def test_says_of_each_engine_why_not(make_options):
    with pytest.raises(BackendError) as caught:
        choose("model.xyz", make_options())
    assert all(f"{name}: " in str(caught.value) for name in BACKENDS.names())
    assert "'.xyz'" in str(caught.value)


def test_refuses_an_engine_it_does_not_know(make_options):
    with pytest.raises(BackendError, match="got 'tensorflow'; wanted auto or one of tensorrt, onnxruntime"):
        choose("model.onnx", make_options(backend="tensorflow"))


def test_every_engine_registered_loads():
    for name in BACKENDS.names():
        assert BACKENDS.load(name).name == name
