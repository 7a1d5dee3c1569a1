from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from edge_ai.backends.onnxrt import DeviceBuffers, OnnxRuntimeBackend, spin_entries
from edge_ai.core.errors import BackendError, InferenceError, ModelError

NANODET = Path(__file__).parents[2] / "models" / "nanodet_g_416.onnx"
HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def activated(options, path):
    backend = OnnxRuntimeBackend(options)
    backend.activate(path)
    return backend


def test_says_what_runs_it(make_model, make_options):
    backend = activated(make_options(threads=2), make_model())
    assert backend.description == f"ONNX Runtime {onnxruntime.__version__}, CPUExecutionProvider, 2 threads"
    assert backend._session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize(("spinning", "allowed"), [("none", "0"), ("long", "1")])
def test_threads_and_spinning_reach_the_session(make_model, make_options, spinning, allowed):
    options = activated(make_options(threads=2, spinning=spinning), make_model())._session.get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == allowed


@pytest.mark.parametrize("content", [b"this is a text", b"\x08\x08" + bytes(1000)])
def test_refuses_a_file_that_is_no_model(tmp_path, make_options, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx.*cannot be loaded.*To mend"):
        activated(make_options(), path)


def test_refuses_a_torn_model(make_model, make_options):
    path = make_model()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelError, match="cannot be loaded"):
        activated(make_options(), path)


def test_refuses_another_kind_of_file(tmp_path, make_options):
    path = tmp_path / "model.engine"
    path.write_bytes(b"ptrt")
    with pytest.raises(BackendError, match=r"runs \.onnx and \.ort files, not '\.engine'"):
        activated(make_options(), path)


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.parametrize("name", ["cuda", "tensorrt", "CUDAExecutionProvider"])
def test_a_provider_that_is_not_here_is_refused_not_replaced(make_model, make_options, name):
    with pytest.raises(BackendError) as caught:
        activated(make_options(providers=(name, "cpu")), make_model())
    assert "available: " in str(caught.value)
    assert "cpu" in str(caught.value)
    assert "onnxruntime-gpu" in str(caught.value)


@pytest.mark.skipif(not HAS_CUDA, reason="this onnxruntime has no CUDA provider")
def test_cuda_runs_or_says_why_not(make_model, make_options):
    try:
        account = activated(make_options(providers=("cuda", "cpu")), make_model()).description
    except BackendError as error:
        account = str(error)
    assert "CUDAExecutionProvider" in account


def test_a_failing_model_is_an_inference_error(tmp_path, make_options):
    numbers = helper.make_tensor_value_info("indices", TensorProto.INT64, [1])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1])
    table = helper.make_tensor("table", TensorProto.FLOAT, [2], [1.0, 2.0])
    node = helper.make_node("Gather", ["table", "indices"], ["answer"])
    graph = helper.make_graph([node], "gather", [numbers], [answer], [table])
    path = tmp_path / "gather.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    backend = activated(make_options(), path)
    assert backend.inputs["indices"].dtype == np.int64
    with pytest.raises(InferenceError, match="ONNX Runtime failed"):
        backend.infer({"indices": np.array([5])})
    assert backend.infer({"indices": np.array([1])})["answer"] == 2


def test_several_threads_at_once(make_model, make_options):
    backend = activated(make_options(), make_model(("batch", 300)))
    wrong = []

    def work(value):
        for _ in range(50):
            x = np.full((4, 300), value, np.float32)
            answer = backend.infer({"left": x, "right": x})
            if not (answer["total"] == 2 * value).all():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)


def test_bound_buffers_answer_as_the_session_does(make_model, make_options):
    backend = activated(make_options(), make_model())
    bound = DeviceBuffers(backend._session, list(backend.inputs.values()), list(backend.outputs), "cpu")
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(3):
        feeds = {name: rng.random((1, 3), np.float32) for name in ("left", "right")}
        answers.append((bound.run(feeds), backend.infer(feeds)))
    for mine, wanted in answers:
        for name, array in wanted.items():
            np.testing.assert_array_equal(mine[name], array)


@pytest.mark.skipif(not NANODET.exists(), reason=f"{NANODET} is not there")
def test_the_shipped_model(make_options):
    backend = activated(make_options(threads=0), NANODET)
    assert str(backend.inputs["images"]) == "float32 [1, 3, 416, 416]"
    answer = backend.infer({"images": backend.allocate("images")})
    assert {name: array.shape for name, array in answer.items()} == {"scores": (1, 3549, 80), "dist": (1, 3549, 44)}
    assert np.isfinite(answer["dist"]).all()
    assert 0 <= answer["scores"].min() <= answer["scores"].max() <= 1


def test_short_spinning_needs_an_engine_that_can_end_it():
    assert spin_entries("short", "1.25.1") == {"session.intra_op.allow_spinning": "0"}
    new = spin_entries("short", "1.26.0")
    assert new["session.intra_op.allow_spinning"] == "1"
    assert 0 < int(new["session.intra_op.spin_duration_us"]) <= 200
    assert spin_entries("long", "1.32.0") == {"session.intra_op.allow_spinning": "1"}
