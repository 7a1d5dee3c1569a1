from pathlib import Path

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.probes.sensors import zone_name
from edge_ai.monitoring.probes.sysfs import SysfsProbe


def opened(root):
    probe = SysfsProbe(root)
    probe.open()
    return probe


def test_an_orin(orin_nano):
    probe = opened(orin_nano)
    readings = probe.read()
    assert readings == pytest.approx(
        {
            "temperature/cpu": 51.7,
            "temperature/gpu": 48.5,
            "temperature/tj": 51.7,
            "gpu": 0.437,
            "clock/gpu": 612e6,
            "clock/cpu": 1510.4e6,
            "gpu_memory_used": 512_000 * 1024,
            "gpu_memory_total": 7_802_000 * 1024,
            "power/VDD_IN": 5.704,
            "power/VDD_CPU_GPU_CV": 1.488,
            "power": 5.704,
            "fan/pwmfan": 0.2,
            "throttled": 0.0,
        }
    )
    assert probe.texts() == {"board": "Jetson Orin Nano 8GB", "jetpack": "6.2", "power_mode": "15W"}


def test_a_nano_of_jetpack_4(trees, tmp_path):
    readings = opened(trees.nano(tmp_path)).read()
    assert readings["gpu"] == 0.25
    assert readings["power"] == readings["power/POM_5V_IN"] == pytest.approx(2.345)
    assert readings["temperature/ao"] == pytest.approx(40.5)
    assert "temperature/pmic" not in readings, "no sensor is behind it"
    assert readings["fan/pwm-fan"] == 1
    assert readings["throttled"] == 1


def test_a_pc(trees, tmp_path):
    probe = opened(trees.pc(tmp_path))
    readings = probe.read()
    assert readings["temperature/x86_pkg_temp"] == 61
    assert readings["temperature/nvme_composite"] == pytest.approx(45.85)
    assert readings["fan/nct6775"] == pytest.approx(0.2)
    assert readings["fan/nct67752"] == pytest.approx(0.4)
    assert readings["gpu"] == 0.25
    assert readings["gpu_memory_total"] == 8 << 30
    assert readings["throttled"] == 0
    assert "power" not in readings
    assert probe.texts()["board"].endswith(" PC")


def test_a_board_without_a_rail_for_all_has_the_sum_of_its_rails(trees, orin_nano):
    trees.write(orin_nano, {"sys/class/hwmon/hwmon1/in1_label": "VDD_GPU_SOC"})
    assert opened(orin_nano).read()["power"] == pytest.approx(5.704 + 1.488)


@pytest.mark.parametrize("device", ["cooling_device1", "cooling_device3", "cooling_device4"])
def test_clocks_held_down_for_heat(trees, orin_nano, device):
    probe = opened(orin_nano)
    assert probe.read()["throttled"] == 0
    trees.write(orin_nano, {f"sys/class/thermal/{device}/cur_state": 1})
    assert probe.read()["throttled"] == 1


def test_a_hot_surface_holds_nothing_down(trees, orin_nano):
    trees.write(orin_nano, {"sys/class/thermal/cooling_device2/cur_state": 1})
    assert opened(orin_nano).read()["throttled"] == 0


def test_clocks_held_down_for_current_count_while_their_counter_rises(trees, orin_nano):
    probe = opened(orin_nano)
    assert probe.read()["throttled"] == 0, "what was before is past"
    trees.write(orin_nano, {"sys/class/hwmon/hwmon2/oc3_event_cnt": 40})
    assert [probe.read()["throttled"] for _ in range(2)] == [1, 0]


def test_a_file_that_cannot_be_read_is_left_out_until_it_can(trees, orin_nano):
    probe = opened(orin_nano)
    for nonsense in ("", "nonsense", "-256000", "999999"):
        trees.write(orin_nano, {"sys/class/thermal/thermal_zone0/temp": nonsense})
        readings = probe.read()
        assert "temperature/cpu" not in readings
        assert readings["temperature/gpu"] == 48.5
    trees.write(orin_nano, {"sys/class/thermal/thermal_zone0/temp": 52000})
    assert probe.read()["temperature/cpu"] == 52


def test_a_file_system_that_is_gone_is_an_error(orin_nano):
    probe = opened(orin_nano)
    assert probe.read()
    (orin_nano / "sys").rename(orin_nano / "gone")
    with pytest.raises(EdgeAIError, match="none of the files that were there"):
        probe.read()


def test_what_comes_later_is_found_after_a_while(trees, tmp_path):
    (tmp_path / "sys/class").mkdir(parents=True)
    assert SysfsProbe.unfit(tmp_path) == ""
    probe = opened(tmp_path)
    assert probe.read() == {}
    trees.pc(tmp_path)
    assert any("temperature/nvme_composite" in probe.read() for _ in range(100))


def test_no_sys_at_all(tmp_path):
    assert SysfsProbe.unfit(tmp_path) == "this system has no /sys"


def test_this_machine():
    """Whatever it has, it can be read and is in range."""
    readings = opened(Path("/")).read()
    for name, value in readings.items():
        if name.startswith("temperature"):
            assert -60 < value < 150
        if name in ("gpu", "throttled") or name.startswith("fan/"):
            assert 0 <= value <= 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CPU-therm", "cpu"),
        ("cpu-thermal", "cpu"),
        ("soc0-thermal", "soc0"),
        ("thermal-fan-est", "thermal"),
        ("Tdiode_tegra", "tdiode"),
        ("nvme Composite", "nvme_composite"),
        ("acpitz", "acpitz"),
    ],
)
def test_zones_have_the_names_that_jetson_stats_gives_them(text, name):
    assert zone_name(text) == name
