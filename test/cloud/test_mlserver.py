"""The same model in a real MLServer, where somebody has installed one."""

import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.uplink import remote

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("EDGE_AI_MLSERVER") or shutil.which("mlserver")
pytestmark = pytest.mark.skipif(
    not PROGRAM, reason="no mlserver: install the extra mlserver somewhere and name its program in EDGE_AI_MLSERVER"
)


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory):
    from installer.process import clean_environment
    from serving.server import free_port

    folder = tmp_path_factory.mktemp("mlserver") / "models"
    shutil.copytree(ROOT / "cloud" / "mlserver", folder)
    settings = json.loads((folder / "settings.json").read_text())
    ports = {name: free_port() for name in ("http_port", "grpc_port", "metrics_port")}
    (folder / "settings.json").write_text(json.dumps(settings | ports | {"host": "127.0.0.1"}))
    with (folder.parent / "log").open("wb") as log:
        child = subprocess.Popen(
            [PROGRAM, "start", "."],
            cwd=folder,
            env=clean_environment({"PYTHONPATH": str(ROOT)}),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield child, f"grpc://127.0.0.1:{ports['grpc_port']}"
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture(scope="module")
def side(mlserver):
    child, url = mlserver
    side = remote(CloudParams(url=url, connect_timeout=5.0), SystemClock())
    for attempt in range(60):
        assert child.poll() is None
        try:
            side.open()
            break
        except EdgeAIError:
            assert attempt < 59
            threading.Event().wait(0.5)
    yield side
    side.close()


@pytest.mark.parametrize("dark", [False, True], ids=["people", "nothing"])
def test_it_answers_robots(side, dark):
    image = np.zeros((40, 60, 3), np.uint8) if dark else cv2.imread(str(ROOT / "doc" / "demo.jpg"))
    clock, got, done = SystemClock(), [], threading.Event()
    frame = Frame(FrameHeader(0, clock.steady_ns(), "", 0, image.shape[1], image.shape[0]), image)
    side.ask(frame, clock.steady_ns() + 20 * NS, lambda outcome: (got.append(outcome), done.set()))
    assert done.wait(30)
    assert got[0].error is None
    assert (len(got[0].result.detections) == 0) is dark
