"""edge-ai deploy blue-green, as it is typed."""

import json

import pytest
import yaml

from edge_ai.cli.main import main
from edge_ai.deployment.blue_green.plan import load_plan
from edge_ai.deployment.journal import Journal

SIDE = {"release": "1", "process": {"command": ["no-such-program"]}}


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    content = {
        "serve": "blue",
        "sides": {
            name: {**SIDE, "ros": {"managers": [f"/{name}/lifecycle_manager"]}, "ready": "http://127.0.0.1:9/readyz"}
            for name in ("blue", "green")
        },
        "checks": {"commands": {"GPU": ["nvidia-smi", "-L"]}},
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_dry_run_says_every_step_and_does_nothing(plan, capsys):
    assert main(["deploy", "blue-green", str(plan), "--dry-run"]) == 0
    said = capsys.readouterr().out
    for words in (
        "start blue, release 1: no-such-program",
        "wait up to 180 s until it runs and http://127.0.0.1:9/readyz answers",
        "check: GPU",
        "bring /blue/lifecycle_manager into standby",
        "nodes of green into standby, those of blue active; /cmd_vel",
        "watch blue for 60 s; back to nothing if it is not well",
        "blue is in charge",
    ):
        assert words in said
    assert list(plan.parent.iterdir()) == [plan]


def test_what_cannot_start_is_taken_back_with_status_1(plan, capsys):
    assert main(["deploy", "blue-green", str(plan)]) == 1
    said = capsys.readouterr().out
    assert "rolling back: side blue: 'no-such-program': got No such file or directory" in said
    assert "rolled back" in said
    steps = [json.loads(line)["step"] for line in (plan.parent / "plan.journal.jsonl").read_text().splitlines()]
    assert steps == ["begun", "starting", "rolling back", "rolled back"]
    assert main(["deploy", "blue-green", str(plan), "--status"]) == 0
    said = capsys.readouterr().out
    assert "in charge: none yet" in said
    assert "blue: not running, release 1" in said


def test_how_it_stands_is_told_while_it_is_being_done(plan, capsys):
    with Journal(plan.parent / "plan.journal.jsonl").opened() as journal:
        journal.write("begun", to="blue", before=None, plan=load_plan(plan).model_dump(mode="json"))
        assert main(["deploy", "blue-green", str(plan), "--status"]) == 0
        assert "half done: blue takes over, left at 'begun'" in capsys.readouterr().out
        assert main(["deploy", "blue-green", str(plan)]) == 1
        assert "another deployment at work" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--resume", "--roll-back"])
def test_without_a_side_in_charge_there_is_nothing_to_return_to(plan, option, capsys):
    assert main(["deploy", "blue-green", str(plan), option]) == 1
    assert "deploy a side first" in capsys.readouterr().err


def test_mistakes_are_told_without_a_traceback(tmp_path, plan, capsys):
    assert main(["deploy", "blue-green", str(tmp_path / "none.yaml")]) == 1
    assert main(["deploy", "blue-green", str(plan), "--record-golden"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: ") for line in errors] == [True, True]
    assert "'checks.golden' in the plan" in errors[1]
