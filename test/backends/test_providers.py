from __future__ import annotations

import pytest

from edge_ai.backends.engine_params import EngineParams
from edge_ai.backends.providers import Provider, completed, make_folders, missing, parse, parse_all
from edge_ai.core.errors import BackendError


def test_short_and_full_names():
    assert parse("cpu") == parse("CPUExecutionProvider") == Provider("CPUExecutionProvider")
    assert parse("CUDA").name == "CUDAExecutionProvider"
    assert parse("SomeNewExecutionProvider").name == "SomeNewExecutionProvider"


def test_options():
    provider = parse("tensorrt: trt_fp16_enable=1, device_id=2")
    assert provider == Provider("TensorrtExecutionProvider", {"trt_fp16_enable": "1", "device_id": "2"})
    assert provider.device_id == 2
    assert parse("cuda").device_id == 0


@pytest.mark.parametrize("text", ["cuda:", "cuda:device_id", "cuda:=1", "cuda:device_id=first"])
def test_refuses_options_it_cannot_read(text):
    with pytest.raises(BackendError, match="option=value"):
        parse(text)


def test_refuses_none_at_all():
    with pytest.raises(BackendError, match="at least one of cpu"):
        parse_all([])


def test_missing():
    available = ["AzureExecutionProvider", "CPUExecutionProvider"]
    assert missing([parse("cpu")], available) == ""
    text = missing(parse_all(["cuda", "tensorrt", "cpu"]), available)
    assert text.startswith("no cuda, tensorrt here, available: AzureExecutionProvider, cpu; install onnxruntime-gpu")
    assert missing([parse("cdua")], available) == "no cdua here, available: AzureExecutionProvider, cpu"


def test_gpu_providers_take_the_engine_parameters():
    engine = EngineParams(
        precision="int8", engine_cache="/cache", engine_workspace=512, engine_level=5, gpu=1, dla_core=0
    )
    options = completed(parse("tensorrt"), engine).options
    assert options["trt_int8_enable"] == options["trt_fp16_enable"] == options["trt_dla_enable"] == "True"
    assert options["trt_engine_cache_path"] == "/cache/onnxruntime"
    assert options["trt_max_workspace_size"] == str(512 << 20)
    assert options["trt_builder_optimization_level"] == "5"
    assert options["device_id"] == "1"
    assert completed(parse("cuda"), EngineParams(engine_tf32=False)).options == {"device_id": "0", "use_tf32": "False"}


def test_a_providers_own_options_win():
    options = completed(parse("tensorrt:trt_fp16_enable=False,device_id=2"), EngineParams(precision="fp16")).options
    assert (options["trt_fp16_enable"], options["device_id"]) == ("False", "2")


def test_the_processor_takes_none():
    assert completed(parse("cpu"), EngineParams()) == parse("cpu")


def test_folders_for_engines_are_made(tmp_path):
    provider = completed(parse("tensorrt"), EngineParams(engine_cache=str(tmp_path / "a")))
    make_folders([parse("cpu"), provider])
    assert (tmp_path / "a" / "onnxruntime").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match="engine_cache"):
        make_folders([completed(parse("tensorrt"), EngineParams(engine_cache=str(tmp_path / "file")))])
