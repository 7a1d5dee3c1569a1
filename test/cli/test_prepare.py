"""edge-ai prepare, as it is typed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_ai.cli.main import main, make_parser
from edge_ai.cli.run import parameters
from edge_ai.optimization.prepare import models_folder
from edge_ai.runtime.prepared import prepared_path, read_prepared

_SPEC = importlib.util.spec_from_file_location("colours", Path(__file__).parents[1] / "optimization" / "colours.py")
colours = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(colours)


@pytest.fixture(autouse=True)
def home(own_folders, monkeypatch, tmp_path):
    """What is prepared here is the test's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("edge_ai.optimization.judging.measure.TURN_S", 0.02)


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """For the small classifier and its pictures; FP16 is all that is tried."""
    card, pictures, _ = colours.make(tmp_path_factory.mktemp("colours"))
    return [str(card), "--pictures", str(pictures), "--try", "fp16", "--max-loss", "0.2"]


def status(*arguments):
    try:
        return main(["prepare", *arguments])
    except SystemExit as end:
        return end.code


def test_a_dry_run_says_what_would_be_done_and_does_nothing(arguments, capsys, tmp_path):
    assert status(*arguments, "--dry-run") == 0
    said = capsys.readouterr().out
    for word in ("machine ", "memory ", "GiB for models", "profile ", "variants judged on", "engine "):
        assert word in said
    assert list(tmp_path.iterdir()) == []


def test_what_is_skipped_is_said_with_the_reason(capsys):
    assert status() == 0
    said = capsys.readouterr().out
    assert "as it is: no pictures to judge variants on: give --pictures" in said
    assert f"prepared: {prepared_path()}" in said
    assert "ros2 launch edge_ai edge_ai.launch.py" in said


def test_the_whole_way_and_again(arguments, capsys):
    assert status(*arguments) == 0
    said = capsys.readouterr()
    assert "report: " in said.out
    assert "timing" in said.err, "progress of each step goes to the other stream"
    assert status(*arguments) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_run_that_was_killed_is_taken_up(arguments, capsys):
    command = [sys.executable, "-m", "edge_ai.cli.main", "prepare", *arguments]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        for line in run.stderr:
            if "timing" in line:
                break
        assert list(models_folder().glob(".*")), "it works beside what will be"
        run.kill()
    assert not prepared_path().exists()
    assert status(*arguments) == 0
    assert "prepared: " in capsys.readouterr().out
    assert not list(models_folder().glob(".*"))


def test_what_was_prepared_also_runs_without_ros(arguments):
    assert status(*arguments) == 0
    given = parameters(make_parser().parse_args(["run", "synthetic", "--target", "auto", "--set", "camera.fps=5"]))
    assert given["inference"]["model"] == read_prepared(prepared_path()).model
    assert given["inference"]["precision"] == "fp16"
    assert given["camera"] == {"source": "synthetic", "fps": 5}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["no/card.yaml"], "no/card.yaml"),
        (["--profile", "warp_core"], "config/profiles"),
        (["--labels", "x.json"], "--pictures"),
        (["--pictures", "no/such"], "no/such"),
        (["--max-loss", "2"], "--max-ap-loss"),
        (["--cameras", "none"], "--cameras"),
    ],
)
def test_wrong_use_is_status_2(wrong, said, capsys, tmp_path):
    assert status(*wrong) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
