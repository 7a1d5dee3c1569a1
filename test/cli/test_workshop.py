"""The commands of the workshop: what they print and how they end."""

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_ai.cli.main import main

_SPEC = importlib.util.spec_from_file_location("colours", Path(__file__).parents[1] / "optimization" / "colours.py")
colours = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(colours)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tuple(str(path) for path in colours.make(tmp_path_factory.mktemp("colours")))


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    """What is judged here is not how fast models are."""
    monkeypatch.setattr("edge_ai.optimization.judging.measure.TURN_S", 0.02)


def status(arguments):
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


def test_quantize_ships_and_says_where(data, tmp_path, capsys):
    card, pictures, labels = data
    output = tmp_path / "out"
    command = ["quantize", card, "--method", "fp16", "--data", pictures, "--labels", labels, "--rounds", 3]
    assert status([*command, "--max-ap-loss", 0.01, "--output", output]) == 0
    said = capsys.readouterr()
    assert f"SHIPPED: {output / 'report.html'}" in said.out
    assert "top-1" in said.out
    assert "FP16" in said.out
    assert "timing" in said.err, "progress goes to the other stream"
    assert json.loads((output / "report.json").read_text())["verdict"]["shipped"]


def test_prune_is_refused_with_status_1(data, tmp_path, capsys):
    card, pictures, labels = data
    command = ["prune", card, "--method", "magnitude", "--amount", 0.99, "--data", pictures, "--labels", labels]
    assert status([*command, "--rounds", 3, "--output", tmp_path / "out"]) == 1
    assert "REFUSED by the gate, nothing shipped" in capsys.readouterr().out


def test_compare_prints_both(data, tmp_path, capsys):
    card, pictures, labels = data
    swapped = Path(card).with_name("swapped.yaml")
    swapped.write_text(
        Path(card).read_text().replace("color: bgr", "color: rgb").replace("version: '1'", "version: '2'")
    )
    assert status(["compare", card, swapped, "--data", pictures, "--labels", labels, "--rounds", 3]) == 1, (
        "it takes red for blue"
    )
    said = capsys.readouterr().out
    assert "original" in said
    assert "colours 2" in said
    assert "+0.6667" in said


def test_optimize_ships_the_pareto_set(data, tmp_path, capsys):
    card, pictures, _ = data
    command = ["optimize", card, "--data", pictures, "--rounds", 3, "--pictures", 9, "--max-loss", 0.2]
    assert status([*command, "--try", "fp16", "--try", "int8_minmax", "--output", tmp_path / "out"]) == 0
    assert "recommended" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{pictures}"], "--output"),
        (["--output", "{out}"], "--data"),
        (["--data", "no/such/folder", "--output", "{out}"], "no/such/folder"),
        (["--data", "{pictures}", "--output", "{out}", "--labels", "no/labels.json"], "no/labels.json"),
        (["--data", "{pictures}", "--output", "{out}", "--max-ap-loss", "2"], "--max-ap-loss"),
        (["--data", "{pictures}", "--output", "{out}", "--max-ap-loss", "much"], "--max-ap-loss"),
        (["--data", "{pictures}", "--output", "{out}", "--rounds", "1"], "--rounds"),
        (["--data", "{pictures}", "--output", "{out}", "--method", "int3"], "int3"),
        (["--data", "{pictures}", "--output", "{out}", "--keep", "no_such_layer"], "no_such_layer"),
        (["--data", "/dev/video0", "--output", "{out}"], "live camera"),
    ],
)
def test_wrong_use_is_status_2_and_writes_nothing(data, tmp_path, capsys, arguments, said):
    card, pictures, _ = data
    output = tmp_path / "out"
    filled = [argument.format(pictures=pictures, out=output) for argument in arguments]
    assert status(["quantize", card, *filled]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(data, tmp_path, number):
    card, pictures, _ = data
    command = [sys.executable, "-m", "edge_ai.cli.main", "quantize", card, "--data", pictures, "--rounds", "1000"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "out")], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "timing" in line:  # models, cards and sessions are there, and much is left to do
                break
        assert list(tmp_path.iterdir()), "it works beside the output"
        process.send_signal(number)
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "interrupted; nothing was written" in rest
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("amount", ["0", "1", "-0.1", "nan", "half"])
def test_amounts_out_of_range_are_refused(data, tmp_path, capsys, amount):
    card, pictures, _ = data
    command = ["prune", card, f"--amount={amount}", "--data", pictures, "--output", tmp_path / "out"]
    assert status(command) == 2
    assert "amount" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["truncated", "other", "missing"])
def test_a_damaged_model_is_status_2(data, tmp_path, capsys, damage):
    import hashlib

    import yaml

    card, pictures, _ = data
    values = yaml.safe_load(Path(card).read_text())
    content = (Path(card).parent / values["file"]).read_bytes()
    content = {"truncated": content[: len(content) // 2], "other": b"not a model", "missing": b""}[damage]
    if damage != "missing":
        (tmp_path / values["file"]).write_bytes(content)
    values["sha256"] = hashlib.sha256(content).hexdigest()
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(values))
    command = ["quantize", tmp_path / "card.yaml", "--data", pictures, "--output", tmp_path / "out"]
    assert status(command) == 2
    error = capsys.readouterr().err
    assert "error: " in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()
