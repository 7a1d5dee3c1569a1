"""The driver's library is made up: there is no NVIDIA GPU where these tests run."""

import sys
from types import SimpleNamespace

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes import nvml
from edge_ai.monitoring.probes.nvml import NvmlProbe


class NVMLError(Exception):
    pass


def refuse(*_):
    raise NVMLError("Not Supported")


@pytest.fixture
def library(monkeypatch):
    """Two GPUs; the second is busier, hotter and fuller."""
    made_up = SimpleNamespace(
        NVMLError=NVMLError,
        NVML_TEMPERATURE_GPU=0,
        NVML_CLOCK_SM=1,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: made_up.__dict__.update(open=made_up.open - 1),
        open=1,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetUtilizationRates=lambda gpu: SimpleNamespace(gpu=(10, 80)[gpu], memory=5),
        nvmlDeviceGetMemoryInfo=lambda gpu: SimpleNamespace(total=(80, 20)[gpu] << 30, used=(20, 10)[gpu] << 30),
        nvmlDeviceGetTemperature=lambda gpu, kind: (40, 71)[gpu],
        nvmlDeviceGetPowerUsage=lambda gpu: (50_000, 120_500)[gpu],
        nvmlDeviceGetClockInfo=lambda gpu, kind: 1410,
        nvmlDeviceGetFanSpeed=lambda gpu: 30,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda gpu: 0x4,
    )
    monkeypatch.setitem(sys.modules, "pynvml", made_up)
    return made_up


def test_of_several_the_one_that_has_most_to_do(library):
    probe = NvmlProbe()
    probe.open()
    assert probe.read() == pytest.approx(
        {
            "gpu": 0.8,
            "gpu_memory_used": 10 << 30,
            "gpu_memory_total": 20 << 30,
            "temperature/gpu": 71,
            "power/gpu": 170.5,
            "clock/gpu": 1410e6,
            "fan/gpu": 0.3,
            "throttled": 0,
        }
    )
    probe.close()
    probe.close()
    assert library.open == 0


def test_held_down_for_heat(library):
    library.nvmlDeviceGetCurrentClocksThrottleReasons = lambda gpu: 0x40 if gpu else 0
    probe = NvmlProbe()
    probe.open()
    assert probe.read()["throttled"] == 1


def test_what_a_gpu_does_not_say_is_left_out(library):
    """A Thor gives load and memory and little else."""
    for name in ("Temperature", "PowerUsage", "ClockInfo", "FanSpeed", "CurrentClocksThrottleReasons"):
        setattr(library, f"nvmlDeviceGet{name}", refuse)
    probe = NvmlProbe()
    probe.open()
    assert probe.read().keys() == {"gpu", "gpu_memory_used", "gpu_memory_total"}


def test_a_driver_that_goes_is_an_error(library):
    probe = NvmlProbe()
    probe.open()
    for name in [name for name in vars(library) if name.startswith("nvmlDeviceGet")]:
        setattr(library, name, refuse)
    with pytest.raises(EdgeAIError, match="no answer of any GPU"):
        probe.read()


def test_no_driver_is_an_error_in_words(library):
    library.nvmlInit = refuse
    with pytest.raises(EdgeAIError, match="wanted an NVIDIA driver"):
        NvmlProbe().open()


def test_where_it_makes_sense(orin_nano, tmp_path, trees):
    assert "sysfs has the rest" in NvmlProbe.unfit(orin_nano)
    assert NvmlProbe.unfit(tmp_path) == "no driver of NVIDIA"
    trees.write(tmp_path, {"proc/driver/nvidia/version": "NVRM version: 550.54"})
    assert NvmlProbe.unfit(tmp_path) in ("", "nvidia-ml-py is not installed (python3 -m pip install nvidia-ml-py)")


def test_the_library_has_all_that_we_ask_of_it(library, monkeypatch):
    monkeypatch.delitem(sys.modules, "pynvml")
    real = pytest.importorskip("pynvml")
    assert {name for name in vars(library) if name[:4].lower() == "nvml"} <= set(dir(real))
    reasons = ("HwSlowdown", "SwThermalSlowdown", "HwThermalSlowdown", "HwPowerBrakeSlowdown")
    bits = [getattr(real, f"nvmlClocksThrottleReason{reason}") for reason in reasons]
    assert sum(bits) == nvml._HELD_DOWN
