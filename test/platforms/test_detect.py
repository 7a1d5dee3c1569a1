import dataclasses
import json
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.errors import EdgeAIError
from edge_ai.platforms import detect as module
from edge_ai.platforms.detect import detect
from edge_ai.platforms.jetson_service import JetsonStats
from edge_ai.platforms.nvml import Gpu
from edge_ai.platforms.report import machine_text

GIB = 2**30
NX = ("NVIDIA Jetson Orin NX Engineering Reference Developer Kit", ["nvidia,p3768-0000+p3767-0000", "nvidia,tegra234"])


def test_a_jetson_from_its_files(make_tree):
    config = {"etc/nvpmodel.conf": "< POWER_MODEL ID=2 NAME=15W >\n", "var/lib/nvpmodel/status": "pmode:0002"}
    machine = detect(make_tree(*NX, gib=15.3, l4t="36.4.3", files=config))
    assert (machine.board.key, machine.profile, machine.soc) == ("orin_nx_16", "orin_nx", "tegra234")
    assert machine.evidence == "module p3767-0000"
    assert (machine.l4t, machine.jetpack, machine.software.name, machine.power_mode) == ("36.4.3", "6.2", "6.1", "15W")
    assert machine.power_modes == ("15W",)
    assert machine.memory_bytes == int(15.3 * 2**20) * 1024
    assert machine.available_bytes < machine.memory_bytes
    assert machine.notes == ()
    assert machine.gpus == ()


def test_a_pc_from_its_files(make_tree):
    machine = detect(make_tree(gib=16))
    assert (machine.model, machine.cpu, machine.cores) == ("Some CPU 9000", "Some CPU 9000", 1)
    assert (machine.board, machine.profile, machine.soc, machine.notes) == (None, "generic_pc", "", ())


def test_cores_without_hyper_threads_are_processors(make_tree):
    assert detect(make_tree(gib=4, files={"proc/cpuinfo": "processor : 0\n\nprocessor : 1\n"})).cores == 2


def test_an_arm_board_of_somebody_else_is_a_pc(make_tree):
    machine = detect(make_tree("Raspberry Pi 5 Model B Rev 1.0", ["raspberrypi,5-model-b", "brcm,bcm2712"], gib=8))
    assert (machine.model, machine.board, machine.profile) == ("Raspberry Pi 5 Model B Rev 1.0", None, "generic_pc")
    assert machine.notes == ()


def test_a_jetson_that_the_table_does_not_have_is_said_to_be_one(make_tree):
    machine = detect(make_tree("NVIDIA Jetson Next", ["nvidia,p9999-0000", "nvidia,tegra999"], gib=500, l4t="99.1.0"))
    assert machine.board is None
    assert machine.profile == "generic_pc"
    assert machine.notes == ("board: not in the table of Jetsons: model 'NVIDIA Jetson Next', chip 'tegra999'",)


def test_a_container_without_a_device_tree_is_still_a_jetson(make_tree):
    machine = detect(make_tree(gib=8, l4t="36.4.3"))
    assert machine.jetpack == "6.2"
    assert machine.notes == ("board: not in the table of Jetsons: no device tree",)


@pytest.mark.parametrize(
    "name", ["proc/cpuinfo", "proc/meminfo", "etc/nv_tegra_release", "proc/device-tree/compatible"]
)
def test_a_file_that_cannot_be_read_is_noted_and_passed_over(make_tree, name):
    root = make_tree(*NX, gib=15.3, l4t="36.4.3")
    (root / name).unlink()
    (root / name).mkdir()
    machine = detect(root)
    assert any("IsADirectoryError" in note for note in machine.notes)


@pytest.mark.parametrize("text", ["", "MemTotal: many kB\n"])
def test_nonsense_about_memory_is_noted(make_tree, text):
    machine = detect(make_tree(*NX, files={"proc/meminfo": text}))
    assert machine.board.key == "orin_nx_16"
    assert machine.notes == ("memory: KeyError: 'MemTotal'",)
    assert machine.budget.total == 1


def test_jetson_stats_knows_the_module_where_the_tree_does_not(make_tree, monkeypatch):
    root = make_tree("somebody's carrier", ["vendor,carrier", "nvidia,tegra234"], gib=15.3)
    assert detect(root).board is None
    monkeypatch.setattr(module.jetson_service, "ask", lambda: JetsonStats("p3767-0000", "6.2", "12.6", "10.3"))
    machine = detect(root, libraries=True)
    assert (machine.board.key, machine.jetpack, machine.cuda, machine.tensorrt) == ("orin_nx_16", "6.2", "12.6", "10.3")


def test_a_service_that_hangs_is_left_behind(make_tree, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    monkeypatch.setattr(module.jetson_service, "ask", lambda: let_go.wait(20))
    start = time.monotonic()
    machine = detect(make_tree(*NX, gib=15.3), libraries=True)
    assert time.monotonic() - start < 5
    let_go.set()
    assert machine.board.key == "orin_nx_16"
    assert machine.notes == ("jetson-stats: TimeoutError: no answer within 0.05 s",)


def test_a_driver_that_fails_is_noted(make_tree, monkeypatch):
    def fail():
        raise EdgeAIError("NVML", got="no driver")

    monkeypatch.setattr(module.nvml, "gpus", fail)
    assert detect(make_tree(gib=8), libraries=True).notes == ("NVML: got no driver",)


def test_a_pc_with_a_gpu_counts_the_gpus_memory(make_tree, monkeypatch):
    monkeypatch.setattr(module.nvml, "gpus", lambda: (Gpu("NVIDIA RTX", 20 * GIB, "8.9", "550"),))
    machine = detect(make_tree(gib=64), libraries=True)
    assert machine.gpus[0].name == "NVIDIA RTX"
    assert machine.budget.total == 20 * GIB
    assert machine.steady_budget == machine.budget, "the GPU's own memory is not what is free on the computer"


def test_the_steady_budget_does_not_heed_what_is_free_now(make_tree):
    machine = detect(make_tree(*NX, gib=15.3))
    full = dataclasses.replace(machine, available_bytes=GIB)
    assert full.budget.workspace < full.steady_budget.workspace == machine.steady_budget.workspace


def test_a_jetson_is_not_asked_for_a_driver(make_tree, monkeypatch):
    monkeypatch.setattr(module.nvml, "gpus", lambda: pytest.fail("asked"))
    monkeypatch.setattr(module.jetson_service, "ask", JetsonStats)
    detect(make_tree(*NX, gib=15.3), libraries=True)


def test_this_machine():
    machine = detect()
    assert machine.memory_bytes > GIB // 2
    assert machine.cores >= 1
    json.dumps(dataclasses.asdict(dataclasses.replace(machine, board=None, software=None)))


FILES = [
    *("proc/device-tree/model", "proc/device-tree/compatible", "proc/cpuinfo", "proc/meminfo", "etc/nv_tegra_release"),
    *("var/lib/dpkg/status", "var/lib/nvpmodel/status", "etc/nvpmodel.conf", "usr/local/cuda/version.json"),
]
PIECES = [
    b"",
    b"\0",
    b"\n",
    b"\xff\xfe",
    b"nvidia,tegra234\0",
    b"NVIDIA Jetson Orin NX\0",
    b"p3767-0000",
    b"pmode:0002",
]
PIECES += [b"# R36 (release), ", b"REVISION: 4.3, ", b"MemTotal: 8 kB\n", b"MemTotal: 99999999999999999999 kB\n"]
PIECES += [b"Package: libnvinfer10\n", b"Status: install ok installed\n", b"Version: \n", b'{"cuda": {}}']


@given(st.dictionaries(st.sampled_from(FILES), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)))
def test_no_file_however_broken_stops_it(contents):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        machine = detect(Path(folder))
        assert machine.cores >= 1
        assert machine.budget.models >= 0
        assert "this machine" in machine_text(machine)
