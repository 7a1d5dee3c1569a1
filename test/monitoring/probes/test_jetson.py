import threading

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes import jetson
from edge_ai.monitoring.probes.jetson import JetsonProbe
from edge_ai.monitoring.probes.sysfs import SysfsProbe


@pytest.fixture
def probe(jetson_stats):
    probe = JetsonProbe()
    probe.open()
    yield probe
    probe.close()


def test_it_says_what_sysfs_says_by_the_same_names(probe, orin_nano):
    """So that one can stand in for the other: alerts and reports see no difference."""
    files = SysfsProbe(orin_nano)
    files.open()
    expected = files.read()
    readings = probe.read()
    common = expected.keys() - {"clock/cpu", "throttled", "temperature/tj"}
    assert common <= readings.keys()
    for name in common:
        assert readings[name] == pytest.approx(expected[name], rel=0.51), name


def test_units(probe, jetson_figures):
    assert probe.read() == pytest.approx(jetson_figures)
    assert probe.texts() == {"power_mode": "15W"}


def test_boards_of_another_kind(probe, jetson_stats):
    """A Thor's clocks are in MHz there; boards have no fan, no rails, no load, no mode."""
    jetson_stats.gpu["gpu"]["freq"]["cur"] = 1575
    assert probe.read()["clock/gpu"] == 1575e6
    jetson_stats.gpu, jetson_stats.fan, jetson_stats.power, jetson_stats.engine = {}, {}, {}, {}
    probe._service.fan.clear()
    readings = probe.read()
    assert readings.keys() == {"gpu_memory_used", "gpu_memory_total", "temperature/cpu", "temperature/gpu"}


def test_a_board_without_power_modes(jetson_stats):
    jetson_stats.has_nvpmodel = False
    probe = JetsonProbe()
    probe.open()
    assert "power_mode" not in probe.texts()
    probe.close()


@pytest.mark.parametrize(
    ("fault", "words"), [("inactive", "not active.*systemctl start jtop"), ("permission", "usermod")]
)
def test_a_service_that_is_not_there_says_how_to_mend_it(jetson_stats, fault, words):
    jetson_stats.fault = fault
    with pytest.raises(EdgeAIError, match=words):
        JetsonProbe().open()


def test_a_service_that_dies_is_an_error(probe, jetson_stats):
    ticked = threading.Event()
    probe._service.attach(lambda _: ticked.set())
    assert ticked.wait(10)
    jetson_stats.fault = "lost"
    probe._service.join(10)
    with pytest.raises(Exception, match="Lost connection"):
        probe.read()


def test_a_service_that_is_stuck_and_repeats_itself_is_an_error(probe, jetson_stats, monkeypatch):
    assert probe.read()
    jetson_stats.fault = "stuck"
    probe.read()
    monkeypatch.setattr(jetson, "_SILENT", 0.0)
    with pytest.raises(EdgeAIError, match="no news for"):
        probe.read()


def test_what_its_thread_takes_is_counted(probe):
    ticked = threading.Semaphore(0)
    probe._service.attach(lambda _: ticked.release())
    assert all(ticked.acquire(timeout=10) for _ in range(3))
    assert probe.cpu_ns > 0


def test_only_jetsons_have_it(orin_nano, tmp_path, jetson_stats):
    assert JetsonProbe.unfit(tmp_path) == "this is no Jetson"
    assert JetsonProbe.unfit(orin_nano) == ""


def test_it_is_optional(orin_nano, no_jetson_stats):
    assert "not installed" in JetsonProbe.unfit(orin_nano)
