import pytest

from edge_ai.control import kept_stop
from edge_ai.control.kept_stop import KeptStop


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_a_stop_is_known_to_the_next_life_until_it_is_released():
    KeptStop.of("7/control").keep(stopped=True)
    assert KeptStop.of("7/control").stopped
    KeptStop.of("7/control").keep(stopped=False)
    assert not KeptStop.of("7/control").stopped


def test_each_robot_has_its_own():
    KeptStop.of("7/control").keep(stopped=True)
    assert not KeptStop.of("8/control").stopped
    assert not KeptStop.of("7/rover/control").stopped


def test_another_boot_begins_anew(monkeypatch):
    KeptStop.of("7/control").keep(stopped=True)
    monkeypatch.setattr(kept_stop, "boot_id", lambda: "another")
    assert not KeptStop.of("7/control").stopped


def test_what_cannot_be_read_is_a_stop(tmp_path):
    (tmp_path / "edge_ai/emergency_stop_7_control").mkdir(parents=True)
    assert KeptStop.of("7/control").stopped


def test_a_folder_that_refuses_is_reported(tmp_path, caplog):
    (tmp_path / "edge_ai").write_text("no folder")
    kept = KeptStop.of("7/control")
    kept.keep(stopped=True)
    assert "cannot be changed" in caplog.text
