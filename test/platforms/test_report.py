import dataclasses
import json

from edge_ai.platforms import report
from edge_ai.platforms.boards import boards
from edge_ai.platforms.detect import detect
from edge_ai.platforms.nvml import Gpu


def test_the_table_has_every_board_and_marks_what_is_unchecked():
    lines = report.boards_text().splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [board.key for board in boards()]
    assert "259?" in lines[-2]
    assert "0.472 " in lines[1]
    assert max(map(len, lines)) <= 130


def test_a_machine_in_words(make_tree):
    root = make_tree("NVIDIA Jetson Orin NX", ["nvidia,p3767-0000", "nvidia,tegra234"], gib=15.3, l4t="35.4.1")
    text = report.machine_text(detect(root))
    assert "Jetson Orin NX 16GB (orin_nx_16), by module p3767-0000" in text
    assert "JetPack       5.1.2, Jetson Linux 35.4.1" in text
    assert "Python 3.8 is too old for this package" in text
    assert "profile       orin_nx" in text


def test_a_pc_in_words(make_tree):
    machine = dataclasses.replace(detect(make_tree(gib=16)), gpus=(Gpu("RTX", 20 * 2**30, "8.9", "550"), Gpu("Other")))
    text = report.machine_text(machine)
    assert "GPU           RTX, 20 GiB, compute capability 8.9, driver 550" in text
    assert "GPU           Other\n" in text
    assert "JetPack" not in text


def test_everything_is_plain(make_tree):
    machine = detect(make_tree("NVIDIA Jetson Nano", ["nvidia,p3448-0000", "nvidia,tegra210"], gib=3.9))
    values = report.everything(machine)
    values = json.loads(json.dumps(values, allow_nan=False))
    assert values["machine"]["board"] == values["boards"][0]["key"] == "nano"
