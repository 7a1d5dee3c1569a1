import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes.registry import SOURCES, find


def names(found):
    return [probe.name for probe in found.probes]


def test_every_source_has_the_name_it_is_registered_by():
    assert [SOURCES.load(name).name for name in SOURCES.names()] == list(SOURCES.names())


def test_this_machine_has_what_every_machine_has():
    found = find()
    assert {"psutil", "disk"} <= set(names(found))
    assert set(names(found)) | found.left_out.keys() == set(SOURCES.names())
    assert all(found.left_out.values())


def test_a_jetson_asks_its_service_first(orin_nano, jetson_stats):
    found = find(orin_nano)
    assert names(found) == ["jetson-stats", "sysfs", "psutil", "disk"]
    assert found.left_out.keys() == {"NVML"}


def test_a_jetson_without_jetson_stats(orin_nano, no_jetson_stats):
    assert names(find(orin_nano))[0] == "sysfs"


def test_a_source_that_cannot_even_be_made_is_left_out(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as in a container
    found = find()
    assert "psutil" in names(found)
    assert "home" in found.left_out["disk"]


def test_some_of_them(tmp_path):
    found = find(tmp_path, names=["psutil", "sysfs"])
    assert names(found) == ["psutil"]
    assert found.left_out == {"sysfs": "this system has no /sys"}
    with pytest.raises(EdgeAIError, match="unknown source of metrics"):
        find(names=["tegrastats"])
