from __future__ import annotations

import pytest

from edge_ai.backends.providers import Provider, missing, parse, parse_all
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
