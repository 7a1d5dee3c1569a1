"""Made-up machines to watch: their files, and a double of jetson-stats."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

DOUBLES = Path(__file__).resolve().parents[1] / "doubles" / "jetson"


def _module(name):
    spec = importlib.util.spec_from_file_location(f"edge_ai_jetson_{name}", DOUBLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def trees():
    """Makes file systems: ``trees.orin_nano(folder)``; ``trees.write(folder, files)`` changes them."""
    return _module("tree")


@pytest.fixture
def orin_nano(trees, tmp_path):
    """The file system of a Jetson Orin Nano."""
    return trees.orin_nano(tmp_path / "orin_nano")


@pytest.fixture
def jetson_stats(monkeypatch):
    """jetson-stats is installed; gives its service, which can be made to fail (test/doubles/jetson)."""
    monkeypatch.syspath_prepend(str(DOUBLES / "path"))
    monkeypatch.delitem(sys.modules, "jtop", raising=False)
    library = importlib.import_module("jtop")
    yield library.restart()
    library.service.released.set()
    sys.modules.pop("jtop", None)


@pytest.fixture
def no_jetson_stats(monkeypatch):
    """jetson-stats is not installed."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "jtop" else real(name, *rest))
    monkeypatch.setitem(sys.modules, "jtop", None)


@pytest.fixture
def jetson_figures():
    """What the double of jetson-stats says at first, in our names and units."""
    return {
        "gpu": 0.437,
        "clock/gpu": 612e6,
        "gpu_memory_used": 512_000 * 1024,
        "gpu_memory_total": 7_802_000 * 1024,
        "temperature/cpu": 51.7,
        "temperature/gpu": 48.5,
        "power/VDD_CPU_GPU_CV": 1.488,
        "power/VDD_IN": 5.704,
        "power": 5.704,
        "fan/pwmfan": 0.3,
        "engine/nvdec": 524.8e6,
        "engine/vic": 0,
    }
