"""The comparison with a pretended GPU and a pretended trtexec: what it measures is wrong, how it goes is right."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchmarks.gpu import measure
from benchmarks.topic import Context, Report
from edge_ai.backends import trt_api

TRTEXEC = """#!/bin/sh
echo "[I] Throughput: 50.0 qps"
echo "[I] Latency: min = 1 ms, max = 3 ms, mean = 1.2 ms, median = 1.2 ms, percentile(99%) = 1.9 ms"
"""


@dataclass(frozen=True)
class Hasty(Context):
    """Two rounds of a fifth of a second."""

    def pick(self, quick, full):
        return {2.0: 0.2, 3: 2}[quick]


@pytest.fixture
def context(tmp_path):
    return Hasty(True, tmp_path, lambda _: None)


def test_both_run_the_same_engine_in_turns(double_gpu, context, tmp_path, monkeypatch):
    double_gpu()
    program = tmp_path / "trtexec"
    program.write_text(TRTEXEC)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(measure, "_PRECISIONS", ("fp16",))
    report = Report()
    measure.measure(context, report)
    assert report.failures == []
    (goal,) = report.goals
    assert "trtexec" in goal.name
    assert goal.value > 0
    values = report.results["fp16"]
    assert {side: len(rounds) for side, rounds in values["figures"].items()} == {
        "peer": 2,
        "1 threads": 2,
        "2 threads": 2,
        "3 threads": 2,
    }
    assert values["device"].startswith("Orin")
    assert values["engine"]["verdict"]["passed"]


def test_an_inference_that_fails_is_told(double_gpu, context, tmp_path, monkeypatch):
    test_both_run_the_same_engine_in_turns(double_gpu, context, tmp_path, monkeypatch)
    double_gpu.set_fault("execute_fails")
    report = Report()
    measure.measure(context, report)
    assert ["TensorRT refused the inference" in failure for failure in report.failures] == [True]


def test_without_a_gpu_nothing_is_measured_and_the_reason_is_told(context):
    if trt_api.unfit() == "":
        pytest.skip("TensorRT is here")
    report = Report()
    measure.measure(context, report)
    assert all(goal.value is None for goal in report.goals)
    assert all("TensorRT: not installed" in failure for failure in report.failures)
