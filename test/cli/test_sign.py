import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edge_ai.cli.main import main
from edge_ai.cli.sign import expiry
from edge_ai.core.errors import ParameterError
from edge_ai.deployment.artifacts.keys import PrivateKey
from edge_ai.deployment.artifacts.make import Source, make_set
from edge_ai.runtime.resources import resource, shipped_card

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGE_AI_KEY_PASSWORD", raising=False)
    return tmp_path


@pytest.fixture
def edge_ai(work, capsys):
    """Runs a command; gives its status and what it printed on both streams."""

    def run(*arguments):
        status = main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


@pytest.fixture
def sign(edge_ai):
    def run(*more, version=1, into="set", key="release.key"):
        options = ("--key", key, "--version", version, "--expires", "90d", "--target", "any", "--into", into)
        return edge_ai("sign", shipped_card(), *options, *more)

    return run


def test_from_a_new_key_to_a_set_that_verifies(edge_ai, sign, work):
    status, printed = edge_ai("sign", "--new-key", "release")
    assert status == 0
    assert "release.pub: name it in trusted_keys" in printed
    status, printed = sign("--software", "jetpack=6", "--report", resource("models/README.md"))
    assert status == 0
    assert "set: nanodet_g_416 version 1, for any, until " in printed
    assert "model           nanodet_g_416.onnx, 15166177 bytes" in printed
    assert sorted(path.name for path in (work / "set").iterdir()) == sorted(
        ["NOTICE", "README.md", "coco80.txt", "nanodet_g_416.onnx", "nanodet_g_416.yaml", "set.json"]
    )
    status, printed = edge_ai("verify", "set", "--keys", "release.pub", "--device", "orin_nano")
    assert status == 0
    assert "nanodet_g_416 version 1: signed, whole, 5 files\n  for any, needs jetpack 6" in printed


def test_verify_says_what_is_wrong(edge_ai, sign, work):
    edge_ai("sign", "--new-key", "release")
    edge_ai("sign", "--new-key", "other")
    sign()
    status, printed = edge_ai("verify", "set", "--keys", "other.pub")
    assert status == 1
    assert "no signature that verifies" in printed
    assert edge_ai("verify", "set", "--keys", "other.pub", "release.pub")[0] == 0
    manifest = json.loads((work / "set/set.json").read_text())
    (work / "set/coco80.txt").write_text("person\n")
    status, printed = edge_ai("verify", "set", "--keys", "release.pub")
    assert status == 1
    assert f"'coco80.txt': got other bytes than were signed; wanted sha256 {_sha(manifest)}" in printed


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "it expired at .*sign --expires"), (1, "a set for thor; wanted one for orin_nano")]
)
def test_verify_knows_the_day_and_the_device(edge_ai, work, days, said):
    key = PrivateKey.make()
    key.save(work / "release.key")
    (work / "file").write_text("anything")
    make_set(
        [Source(work / "file", "a.yaml", "card"), Source(work / "file", "a.onnx", "model")],
        work / "set",
        [key],
        name="a",
        version=1,
        expires=datetime.now(timezone.utc) + timedelta(days=days),
        targets=["thor"],
    )
    status, printed = edge_ai("verify", "set", "--keys", "release.pub", "--device", "orin_nano")
    assert status == 1
    assert re.search(said, printed)


def _sha(manifest):
    return manifest["signed"]["files"]["coco80.txt"]["sha256"]


def test_golden_answers_go_along(edge_ai, sign, work):
    edge_ai("sign", "--new-key", "release")
    status, printed = sign("--golden", resource("doc/demo.jpg"))
    assert status == 0, printed
    assert {"golden/golden.json", "golden/000.png"} <= set(
        json.loads((work / "set/set.json").read_text())["signed"]["files"]
    )


def test_a_password_comes_from_the_environment_and_is_needed(edge_ai, sign, work, monkeypatch):
    monkeypatch.setenv("EDGE_AI_KEY_PASSWORD", "secret")
    assert "with a password" in edge_ai("sign", "--new-key", "release")[1]
    assert sign()[0] == 0
    monkeypatch.setenv("EDGE_AI_KEY_PASSWORD", "wrong")
    status, printed = sign(into="other")
    assert status == 1
    assert "its password" in printed
    monkeypatch.delenv("EDGE_AI_KEY_PASSWORD")
    assert "set EDGE_AI_KEY_PASSWORD" in sign(into="other")[1]
    assert not (work / "other").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--target", "toaster"), "toaster; wanted some of agx_orin"),
        (("--software", "tensorrt"), "NAME=VERSION"),
        (("--software", "windows=11"), "software.windows"),
        (("--version", "0"), "no --version"),
        (("--version", "-1"), "version: Input should be greater"),
        (("--expires", "soon"), "days from now like 90d"),
        (("--expires", "2020-01-01"), "a date to come"),
        (("--engine", "."), "no engine.plan"),
        (("--config", "none.yaml"), "none.yaml"),
        (("--report", "none.json"), "none.json"),
        (("--key", "none.key"), "--new-key NAME"),
        (("--name", "a b"), "name: "),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(edge_ai, sign, work, more, said):
    edge_ai("sign", "--new-key", "release")
    status, printed = sign(*more)
    assert status == 1
    assert said in printed
    assert sorted(path.name for path in work.iterdir()) == ["release.key", "release.pub"]


def test_a_set_is_never_changed(edge_ai, sign):
    edge_ai("sign", "--new-key", "release")
    sign()
    assert "a set is never changed" in sign(version=2)[1]


def test_expiry_is_days_from_now_or_a_date():
    now = datetime(2026, 11, 26, 12, 0, 0, 5, timezone.utc)
    assert expiry("90d", now) == datetime(2027, 2, 24, 12, tzinfo=timezone.utc)
    assert expiry("2027-01-31", now) == datetime(2027, 1, 31, tzinfo=timezone.utc)
    for text in ("0d", "2026-11-26", "31.1.2027", "-3d"):
        with pytest.raises(ParameterError):
            expiry(text, now)


def test_edge_ai_run_refuses_what_is_not_signed_and_runs_what_is(edge_ai, sign, work):
    edge_ai("sign", "--new-key", "release")
    sign()
    trust = ("--set", "inference.trusted_keys=[release.pub]", "--set", "inference.artifact_store=store")
    rest = ("--source", "synthetic://320x240@30", "--seconds", "0.5", "--no-dashboard", "--no-recorder", *trust)
    status, printed = edge_ai("run", *rest)
    assert status == 1
    assert "error: set " in printed
    assert "edge-ai sign CARD --into SET" in printed
    command, env = [sys.executable, "-m", "edge_ai.cli.main", "run", *rest], {**os.environ, "PYTHONPATH": str(ROOT)}
    signed = subprocess.run([*command, "--model", "set"], env=env, capture_output=True, text=True, check=False)
    assert signed.returncode == 0, signed.stderr
