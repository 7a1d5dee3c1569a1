"""edge-ai fleet: table, JSON and pictures; wrong words are told."""

import json

import pytest

from edge_ai.cli.main import main


def test_it_writes_figures_and_pictures(tmp_path, capsys):
    options = ["--robots", "1,3", "--policy", "adaptive,always-edge", "--outage", "4:6"]
    options += ["--fleet", "horizon=10", "--fleet", "warm_up=1.0", "--fleet", "frames=200", "--router", "explore=0.1"]
    assert main(["fleet", *options, "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("always-edge") == 4
    found = json.loads((tmp_path / "fleet.json").read_text())
    assert [run["params"]["robots"] for run in found["runs"]] == [1, 1, 3, 3]
    assert found["runs"][0]["params"]["outage_end"] == 6
    assert {path.name for path in tmp_path.iterdir()} == {
        "fleet.json",
        "fleet_table.txt",
        "fleet_time.png",
        "fleet_size.png",
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "luck"], "luck"),
        (["--fleet", "robot=3"], "robot"),
        (["--router", "explore"], "NAME=VALUE"),
        (["--router", "explore=7"], "explore"),
    ],
)
def test_wrong_words_are_told(tmp_path, capsys, options, words):
    assert main(["fleet", "--robots", "1", *options, "--output", str(tmp_path)]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--robots", "0"], ["--robots", "many"], ["--outage", "9:4"], ["--outage", "9"]])
def test_a_wrong_command_line_is_status_2(options):
    with pytest.raises(SystemExit) as left:
        main(["fleet", *options])
    assert left.value.code == 2
