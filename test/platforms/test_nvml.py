"""The driver's library is made up: there is no NVIDIA GPU where these tests run."""

import sys
from types import SimpleNamespace

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.platforms import nvml


class NVMLError(Exception):
    pass


def refuse(*_):
    raise NVMLError("Not Supported")


@pytest.fixture
def library(monkeypatch):
    made_up = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: made_up.__dict__.update(ended=True),
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: "NVIDIA RTX 4000 Ada",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=20 * 2**30),
        nvmlDeviceGetCudaComputeCapability=lambda handle: (8, 9),
        nvmlSystemGetDriverVersion=lambda: "550.54",
        ended=False,
    )
    monkeypatch.setitem(sys.modules, "pynvml", made_up)
    return made_up


def test_asks_the_driver_and_leaves_it(library):
    assert nvml.gpus() == (nvml.Gpu("NVIDIA RTX 4000 Ada", 20 * 2**30, "8.9", "550.54"),)
    assert library.ended


def test_what_the_driver_does_not_say_is_left_out(library):
    """An Orin gives the name and little else; older bindings answer in bytes."""
    library.nvmlDeviceGetName = lambda handle: b"Orin (nvgpu)"
    library.nvmlDeviceGetMemoryInfo = library.nvmlDeviceGetCudaComputeCapability = refuse
    library.nvmlSystemGetDriverVersion = refuse
    assert nvml.gpus() == (nvml.Gpu("Orin (nvgpu)"),)


def test_no_driver_is_an_error_in_words(library):
    library.nvmlInit = refuse
    with pytest.raises(EdgeAIError, match="NVML: got Not Supported; wanted an NVIDIA driver"):
        nvml.gpus()


def test_no_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(EdgeAIError, match="pip install nvidia-ml-py"):
        nvml.gpus()
