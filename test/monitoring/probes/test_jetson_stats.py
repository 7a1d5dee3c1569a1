"""The real client of jetson-stats against a service at its socket: our double of the library is like the library."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

from edge_ai.monitoring.power import PowerControl
from edge_ai.monitoring.probes.jetson import JetsonProbe

pytest.importorskip("jtop.service", reason="jetson-stats is not installed: python3 -m pip install jetson-stats")
DOUBLES = Path(__file__).resolve().parents[2] / "doubles" / "jetson"


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def figures(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["jtop.service"], "JTOP_PIPE", str(tmp_path / "jtop.sock"))
    figures = load("edge_ai_jtop_double", DOUBLES / "path/jtop/__init__.py").Service()
    service = load("edge_ai_socket_service", DOUBLES / "socket_service.py").SocketService(
        figures, tmp_path / "jtop.sock"
    )
    yield figures
    service.ended.set()


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_figures(figures, jetson_figures):
    probe = JetsonProbe()
    probe.open()
    assert probe.read() == pytest.approx(jetson_figures)
    assert probe.texts() == {"power_mode": "15W"}
    figures.gpu["gpu"]["status"]["load"] = 90.0
    until(lambda: probe.read()["gpu"] == 0.9)
    assert probe.cpu_ns > 0
    probe.close()


def test_power(figures):
    power = PowerControl()
    assert power.apply(mode="7W", clocks="on", fan="cool") == []
    assert (figures.model, figures.clocks, figures.fan["pwmfan"]["profile"]) == (1, True, "cool")
    (refusal,) = power.apply(mode="MAXN_SUPER")
    assert "needs a reboot" in refusal
    assert power.restore() == []
    assert (figures.model, figures.clocks, figures.fan["pwmfan"]["profile"]) == (0, False, "quiet")
