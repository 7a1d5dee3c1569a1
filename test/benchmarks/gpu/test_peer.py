from __future__ import annotations

import pytest

from benchmarks.gpu import peer
from benchmarks.topic import MeasurementError

PRINTED = """\
[I] === Performance summary ===
[I] Throughput: 812.345 qps
[I] Latency: min = 1.1 ms, max = 3.2 ms, mean = 1.24 ms, median = 1.23 ms, percentile(99%) = 1.9 ms
[I] Enqueue Time: min = 0.1 ms, max = 0.2 ms, mean = 0.15 ms, median = 0.1 ms, percentile(99%) = 0.2 ms
"""


def test_what_trtexec_prints_is_read():
    assert peer.read_trtexec(PRINTED) == {"per_s": 812.345, "p50_ms": 1.23, "p99_ms": 1.9}


def test_a_failure_of_trtexec_is_told():
    with pytest.raises(MeasurementError, match="Engine deserialization failed"):
        peer.read_trtexec("[I] hello\n[E] Engine deserialization failed\n")
    with pytest.raises(MeasurementError, match="no output"):
        peer.read_trtexec("")


def test_trtexec_is_run_on_the_engine(tmp_path, monkeypatch):
    program = tmp_path / "trtexec"
    program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{PRINTED}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = peer.peer(tmp_path / "engine.plan")
    assert found.name == "trtexec"
    assert found.measure(0.2)["per_s"] == 812.345
    asked = (tmp_path / "asked").read_text()
    assert f"--loadEngine={tmp_path}/engine.plan" in asked
    assert "--duration=1" in asked


def test_no_tool_at_all_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(peer, "_PLACES", ())
    with pytest.raises(MeasurementError, match="pip install polygraphy"):
        peer.peer(tmp_path / "engine.plan")
