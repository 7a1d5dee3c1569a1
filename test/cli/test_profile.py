"""edge-ai profile: a command of edge-ai, or a process by its number."""

import json
import subprocess
import sys

import pytest

from edge_ai.cli.main import main
from edge_ai.monitoring.profiling.py_spy import PySpySampler

pytest.importorskip("onnxruntime")


def test_a_command_is_traced_with_the_stages_of_every_frame(tmp_path, capsys):
    options = ["--kind", "trace", "--out", str(tmp_path), "--", "run", "synthetic", "--seconds", "1.5"]
    assert main(["profile", *options]) == 0
    (path,) = tmp_path.glob("run_trace_*.json")
    out = capsys.readouterr().out
    assert str(path) in out
    assert "infer" in out
    names = {event["name"] for event in json.loads(path.read_text())["traceEvents"] if event["ph"] == "X"}
    assert {"preprocess", "infer", "postprocess", "track", "control"} <= names


def test_a_command_is_sampled_and_its_status_kept(tmp_path, capsys):
    missing = tmp_path / "none.mp4"
    status = main(["profile", "--out", str(tmp_path), "run", str(missing), "--seconds", "0.5"])
    assert status == 1
    assert len(list(tmp_path.glob("run_flame_*"))) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nothing to run"),
        (["profile"], "got profile"),
        (["dance"], "got dance"),
        (["--pid", "1", "run"], "--pid"),
        (["--pid", "1", "--kind", "trace"], "--pid"),
        (["--sampler", "magic", "run"], "magic"),
    ],
)
def test_wrong_wishes_are_told(capsys, options, words):
    assert main(["profile", *options]) == 1
    assert words in capsys.readouterr().err


def test_a_process_is_looked_at_by_its_number(tmp_path, capsys):
    if not PySpySampler.executable():
        pytest.skip("py-spy is not installed")
    script = "print(flush=True)\nwhile True: sum(range(10000))"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        options = ["--pid", str(process.pid), "--seconds", "1", "--out", str(tmp_path)]
        status = main(["profile", *options])
        process.kill()
    told = capsys.readouterr()
    if status and "py-spy on process" in told.err:
        pytest.skip(f"py-spy may not look at other processes here: {told.err}")
    assert status == 0
    assert len(list(tmp_path.glob(f"process_{process.pid}_flame_*"))) == 2
