import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(number, tmp_path):
    command = [sys.executable, "-m", "edge_ai.cli.main", "run", "--source", "synthetic://320x240@30", "--port", "0"]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        lines = []
        for line in run.stdout:
            lines.append(line)
            if "FOLLOWING" in line or "NO_TARGET" in line:
                break
        run.send_signal(number)
        rest = run.stdout.read()
    text = "".join(lines) + rest
    assert run.returncode == 0, text
    assert "dashboard: http://127.0.0.1:" in text
    assert "captured" in rest
    assert "Traceback" not in text


def run(update, tmp_path, last):
    """Run with a new model until that is said, then end: the exit status and all that was said."""
    quick = {"shadow_frames": 3, "shadow_share": 1.0, "probation": 0.2, "probation_frames": 2}
    settings = [f"swap.{name}={value}" for name, value in {**quick, "state_folder": tmp_path / "state"}.items()]
    command = [sys.executable, "-m", "edge_ai.cli.main", "run", str(ROOT / "doc/demo.jpg"), "--loop", "--no-dashboard"]
    command += ["--no-recorder", "--update", str(update), *(w for setting in settings for w in ("--set", setting))]
    command += ["--set", "swap.agreement=0.3"]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as robot:
        lines = []
        for line in robot.stdout:
            lines.append(line)
            if last in line:
                break
        robot.send_signal(signal.SIGINT)
        rest = robot.stdout.read()
    return robot.returncode, "".join(lines) + rest


def test_a_new_model_is_tried_while_it_runs(tmp_path):
    card = ModelCard.load(shipped_card())
    made = resize(card.model_path, tmp_path / "new.onnx", (192, 192), card.input)
    write_card(card, made.path, tmp_path / "new.yaml", version="2.0", source="a test", size=made.size)
    status, said = run(tmp_path / "new.yaml", tmp_path, "has proved itself")
    assert status == 0, said
    assert "nanodet_g_416 2.0 answers, nanodet_g_416 1.0 stands by" in said
    assert "update: nanodet_g_416 2.0 answers, idle" in said
    assert "  shadow: agreement" in said


def test_a_new_model_that_is_none_is_refused_in_words(tmp_path):
    status, said = run(tmp_path / "none.yaml", tmp_path, "goes on")
    assert status == 1
    assert "none.yaml" in said
    assert "update: nanodet_g_416 1.0 answers" in said
    assert "Traceback" not in said
