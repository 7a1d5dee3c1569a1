import json
import os

import pytest

from edge_ai.backends.engine_manifest import EngineKey, Manifest, Verdict, secret_key
from edge_ai.core.errors import EngineError

SECRET = b"s" * 32
KEY = EngineKey(
    model_sha256="ab", options={"precision": "fp16"}, tensorrt="10.3.0", gpu="Orin", compute_capability="8.7"
)
MANIFEST = Manifest(key=KEY, sha256="cd", size=3, built="2026-11-24T00:00:00+00:00", seconds=1.5, notes=["a note"])
HERE = {"TensorRT": "10.3.0", "driver": "12060"}


def test_what_is_written_is_read():
    assert Manifest.parse(MANIFEST.dump(SECRET), SECRET, "m") == MANIFEST


@pytest.mark.parametrize("field", ["sha256", "size", "notes", "built"])
def test_a_changed_manifest_does_not_verify(field):
    values = json.loads(MANIFEST.dump(SECRET))
    values[field] = {"sha256": "ee", "size": 4, "notes": [], "built": "x"}[field]
    with pytest.raises(EngineError, match="does not verify"):
        Manifest.parse(json.dumps(values), SECRET, "m")


def test_a_verdict_cannot_be_forged():
    values = json.loads(MANIFEST.dump(SECRET))
    values["verdict"] = Verdict(passed=True, reason="", environment=HERE).model_dump()
    with pytest.raises(EngineError, match="does not verify"):
        Manifest.parse(json.dumps(values), SECRET, "m")


def test_another_users_manifest_does_not_verify():
    with pytest.raises(EngineError, match="another user or machine"):
        Manifest.parse(MANIFEST.dump(b"t" * 32), SECRET, "m")


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"hmac": 3}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(EngineError):
        Manifest.parse(text, SECRET, "m")


def test_a_signed_manifest_of_another_format_is_refused():
    with pytest.raises(EngineError, match="format 2"):
        Manifest.parse(MANIFEST.model_copy(update={"format": 2}).dump(SECRET), SECRET, "m")


def test_a_verdict_counts_in_its_environment_only():
    passed = MANIFEST.model_copy(update={"verdict": Verdict(passed=True, reason="", environment=HERE)})
    failed = MANIFEST.model_copy(update={"verdict": Verdict(passed=False, reason="", environment=HERE)})
    updated = {**HERE, "driver": "12080"}
    assert (MANIFEST.accepted(HERE), MANIFEST.refused(HERE)) == (False, False)
    assert (passed.accepted(HERE), passed.refused(HERE), passed.accepted(updated)) == (True, False, False)
    assert (failed.accepted(HERE), failed.refused(HERE), failed.refused(updated)) == (False, True, False)


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "ac"},
        {"options": {"precision": "fp32"}},
        {"tensorrt": "10.4.0"},
        {"gpu": "Thor"},
        {"compute_capability": "11.0"},
    ],
)
def test_every_part_of_the_key_counts(change):
    other = KEY.model_copy(update=change)
    assert other.digest != KEY.digest
    (name,) = change
    assert name in KEY.differs(other)
    assert KEY.differs(KEY) == ""


def test_the_secret_is_made_once_and_ours_alone(tmp_path):
    path = tmp_path / "deep" / "engines.key"
    made = secret_key(path)
    assert len(made) == 32
    assert secret_key(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "engines.key"
    secret_key(path)
    path.chmod(0o644)
    with pytest.raises(EngineError, match="chmod 600"):
        secret_key(path)


def test_a_cut_off_secret_is_refused(tmp_path):
    path = tmp_path / "engines.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(EngineError, match="5 bytes"):
        secret_key(path)


def test_the_secret_lies_in_the_users_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = secret_key()
    assert (tmp_path / "edge_ai" / "engines.key").read_bytes() == made


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="XDG_CONFIG_HOME"):
        secret_key(tmp_path / "file" / "engines.key")


def test_threads_and_processes_that_race_for_the_secret_agree(tmp_path):
    path = tmp_path / "engines.key"
    reader, writer = os.pipe()
    children = []
    for _ in range(4):
        if (child := os.fork()) == 0:
            os.write(writer, secret_key(path))
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    assert len({os.read(reader, 32) for _ in range(4)}) == 1
