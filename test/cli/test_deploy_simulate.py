"""edge-ai deploy simulate: table, JSON and pictures; wrong words are told."""

import json

import pytest

from edge_ai.cli.main import main


def test_it_writes_figures_and_pictures(tmp_path, capsys):
    options = ["--robots", "2,20", "--release", "same,fails", "--way", "judged,at-once", "--runs", "2"]
    options += ["--rollout", "patience=300", "--judge", "alpha=0.05", "--stages", "20,100"]
    assert main(["deploy", "simulate", *options, "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "20 robots, at-once, fails: 0 of 2 promoted" in out
    found = json.loads((tmp_path / "rollout.json").read_text())["runs"]
    assert [(one["params"]["robots"], one["params"]["way"], one["release"]) for one in found[:3]] == [
        (2, "judged", "same"),
        (2, "judged", "fails"),
        (2, "at-once", "same"),
    ]
    assert all(len(one["outcomes"]) == 2 and one["params"]["stages"] == [20, 100] for one in found)
    table = (tmp_path / "rollout_table.txt").read_text().splitlines()
    assert len(table) == 9
    assert {path.name for path in tmp_path.iterdir()} == {
        "rollout.json",
        "rollout_table.txt",
        "rollout_judged.png",
        "rollout_at-once.png",
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--release", "luck"], "luck"),
        (["--way", "luck"], "way"),
        (["--rollout", "robot=3"], "robot"),
        (["--judge", "alpha=7"], "alpha"),
        (["--judge", "alpha"], "NAME=VALUE"),
        (["--judge", "alpha=["], "YAML"),
        (["--stages", "10,20"], "the last of them 100"),
    ],
)
def test_wrong_words_are_told(tmp_path, capsys, options, words):
    assert main(["deploy", "simulate", "--robots", "1", *options, "--output", str(tmp_path)]) == 1
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [["--robots", "0"], ["--stages", "all"], ["--runs", "0"], ["--jobs", "x"]])
def test_a_wrong_command_line_is_status_2(capsys, options):
    with pytest.raises(SystemExit) as left:
        main(["deploy", "simulate", *options])
    assert left.value.code == 2
    assert "wanted" in capsys.readouterr().err.splitlines()[-1][:120], "in few words"


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["deploy", "simulate", "--output", str(tmp_path / "file" / "rollout")]) == 1
    assert "file/rollout" in capsys.readouterr().err
