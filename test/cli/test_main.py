import json
import re

import pytest

from edge_ai.cli.main import main


def run(capsys, *arguments):
    status = main(arguments)
    return status, capsys.readouterr()


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("run", "model", "params"))


def test_a_mistake_is_one_line_without_a_traceback(capsys):
    status, said = run(capsys, "run", "/no/such/video.avi")
    assert status == 1
    assert re.fullmatch(r"error: no such file: '/no/such/video.avi'.*\n", said.err)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("speed=1", "NODE.NAME=VALUE"),
        ("control.max_age=99", "'max_age' of control"),
        ("control.speed=1", "'speed' of control does not exist"),
    ],
)
def test_a_wrong_setting_is_refused(capsys, setting, words):
    status, said = run(capsys, "run", "synthetic", "--set", setting)
    assert status == 1
    assert words in said.err


def test_run_sees_and_decides_without_ros(capsys, tmp_path):
    out = tmp_path / "run.jsonl"
    source = ("--source", "synthetic://320x240@30")
    status, said = run(capsys, "run", *source, "--seconds", "2", "--port", "0", "--out", str(out))
    assert status == 0
    assert re.search(r"dashboard: http://127.0.0.1:\d+/", said.out)
    assert re.search(r"captured \d+, processed [1-9]\d*", said.out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    frames = [line for line in lines if "frame" in line]
    assert {"frame", "stamp", "boxes", "scores", "classes"} <= set(frames[0])
    assert any("command" in line for line in lines)


def test_model_checks_the_shipped_card(capsys):
    status, said = run(capsys, "model", "--runs", "2")
    assert status == 0
    assert "nanodet_g_416" in said.out
    assert "input images: float32 [1, 3, 416, 416]" in said.out


def test_params_writes_files(capsys, tmp_path):
    assert main(["params", "yaml", "--into", str(tmp_path)]) == 0
    assert (tmp_path / "control.yaml").read_text().startswith("# Parameters of control_node.")
