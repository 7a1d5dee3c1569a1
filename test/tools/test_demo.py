"""The demo as a stranger runs it: real processes, one clear line where something is wrong, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

KEYS = {
    "source",
    "frames_captured",
    "frames_processed",
    "frames_dropped",
    "detections",
    "fps",
    "age_ms",
    "inference_ms",
    "commands",
    "stopped_on_stale",
}


@pytest.fixture
def environment(root):
    if not (root / "install" / "lib" / "edge_ai" / "camera_node").exists():
        pytest.skip("this tree is not set up (make setup)")
    from environment import shell_environment

    return shell_environment()


def start(root, environment, out, *options):
    command = [sys.executable, root / "tools" / "demo.py", "--out", out, *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def left_running(out: Path) -> list[str]:
    """Processes whose logs go below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"ROS_LOG_DIR={out}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def test_it_records_the_loop_and_the_stop(root, environment, tmp_path):
    done = start(root, environment, tmp_path, "--source", "synthetic://320x240@15", "--duration", "3")
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    numbers = json.loads((tmp_path / "summary.json").read_text())
    assert set(numbers) >= KEYS
    assert numbers["frames_processed"] > 10
    assert numbers["frames_captured"] == numbers["frames_processed"] + numbers["frames_dropped"]
    assert numbers["stopped_on_stale"] is True
    assert 0.0 < numbers["age_ms"]["p50"] <= numbers["age_ms"]["p99"]
    lines = [json.loads(line) for line in (tmp_path / "detections.jsonl").read_text().splitlines()]
    frames = [line["frame"] for line in lines]
    assert len(lines) == numbers["frames_processed"]
    assert None not in frames
    assert frames == sorted(set(frames))
    assert sum(len(line["boxes"]) for line in lines) == numbers["detections"]
    assert (tmp_path / "preview.png").stat().st_size > 0
    assert (tmp_path / "annotated.mp4").stat().st_size > 0
    assert str(tmp_path / "preview.png") in out or os.path.relpath(tmp_path / "preview.png") in out
    assert left_running(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--source", "nowhere.avi"], "camera_node: no such file: 'nowhere.avi'"),
        (
            ["--source", "synthetic://320x240@15", "--model", "nowhere.yaml"],
            "inference_node: model card 'nowhere.yaml'",
        ),
    ],
)
def test_a_nodes_own_words_end_it_in_one_line(root, environment, tmp_path, options, reason):
    done = start(root, environment, tmp_path, *options)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 1
    assert reason in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err
    assert not (tmp_path / "summary.json").exists()
    assert left_running(tmp_path) == []


def test_an_interruption_leaves_nothing_running(root, environment, tmp_path):
    done = start(root, environment, tmp_path, "--source", "synthetic://320x240@15")
    for line in done.stdout:
        if line.startswith("recording"):
            break
    done.send_signal(signal.SIGINT)
    _, err = done.communicate(timeout=60)
    assert done.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert left_running(tmp_path) == []


def test_a_node_that_dies_ends_it(root, environment, tmp_path):
    done = start(root, environment, tmp_path, "--source", "synthetic://320x240@15")
    for line in done.stdout:
        if line.startswith("recording"):
            break
    mine = [p for p in Path("/proc").glob("[0-9]*") if is_inference_of(p, tmp_path)]
    assert mine
    for process in mine:
        os.kill(int(process.name), signal.SIGKILL)
    _, err = done.communicate(timeout=60)
    assert done.returncode == 1
    assert "inference_node: ended with status -9" in err
    assert left_running(tmp_path) == []


def is_inference_of(process: Path, out: Path) -> bool:
    try:
        logs_here = f"ROS_LOG_DIR={out}".encode() in (process / "environ").read_bytes()
        return logs_here and b"inference_node" in (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
