from __future__ import annotations

import json

import pytest

from edge_ai.backends import trt_api
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.cli.main import main


@pytest.fixture
def compile_here(tmp_path):
    """Runs `edge-ai compile` with engines in a folder of the test."""

    def run(*arguments):
        return main(["compile", "--set", f"engine_cache={tmp_path / 'engines'}", *arguments])

    return run


def test_the_shipped_model_is_compiled(one_gpu_machine, compile_here, tmp_path, capsys):
    assert compile_here("--set", "precision=fp16", "--set", f"cuda={one_gpu_machine.binding}") == 0
    said = capsys.readouterr().out
    assert "engine.plan: " in said
    assert "agreement: answers differ by" in said
    (entry,) = EngineCache(tmp_path / "engines").entries()
    assert entry.manifest.verdict.passed
    assert entry.manifest.key.options["precision"] == "fp16"


def test_a_refusal_is_the_exit_status(double_gpu, compile_here, capsys):
    double_gpu(fault="engine_nan")
    assert compile_here() == 1
    assert "the gate refuses" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "precision"], "wanted NAME=VALUE"),
        (["--set", "precision=fp7"], "precision"),
        (["--set", "no_such_thing=1"], "no_such_thing"),
        (["--batch", "0.5"], "batch"),
        (["no/such/card.yaml"], "no/such/card.yaml"),
    ],
)
def test_wrong_use_is_told(double_gpu, compile_here, capsys, arguments, said):
    double_gpu()
    try:
        status = compile_here(*arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert said in capsys.readouterr().err


def test_a_machine_without_tensorrt_is_told_what_is_missing(compile_here, capsys):
    if trt_api.unfit() == "":
        pytest.skip("TensorRT is here")
    assert compile_here() == 2
    said = capsys.readouterr().err
    assert "needs TensorRT and an NVIDIA GPU" in said
    assert "JetPack" in said


def test_a_profile_says_how_and_a_report_says_what_came_of_it(one_gpu_machine, compile_here, tmp_path, capsys):
    profile = tmp_path / "orin.yaml"
    profile.write_text("/**/inference:\n  ros__parameters: {precision: fp32, engine_level: 2}\n")
    arguments = (
        "--profile",
        str(profile),
        "--set",
        f"cuda={one_gpu_machine.binding}",
        "--output",
        str(tmp_path / "out"),
    )
    assert compile_here(*arguments) == 0
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["verdict"]["shipped"]
    assert data["variants"][1]["precision"] == "fp32"
    assert data["goals"][0]["met"]
    assert "TensorRT engine" in (tmp_path / "out" / "report.html").read_text()
    (entry,) = EngineCache(tmp_path / "engines").entries()
    assert (entry.manifest.key.options["precision"], entry.manifest.key.options["engine_level"]) == ("fp32", 2)
