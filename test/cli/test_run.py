import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
