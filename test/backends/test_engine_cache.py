import errno
import json
import os

import pytest

from edge_ai.backends import engine_cache
from edge_ai.backends.engine_cache import EngineCache, model_digest
from edge_ai.backends.engine_manifest import EngineKey, Verdict
from edge_ai.core.errors import EngineError

PLAN = b"plan" * 1000
HERE = {"TensorRT": "10.3.0", "driver": "12060"}


def key(**changes):
    values = {
        "model_sha256": "ab",
        "options": {"precision": "fp16", "shapes": {}},
        "tensorrt": "10.3.0",
        "gpu": "Orin",
        "compute_capability": "8.7",
    }
    return EngineKey(**{**values, **changes})


def passed(**environment):
    return Verdict(passed=True, reason="good", gate="agreement", environment=environment or HERE)


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines", b"s" * 32)


def test_what_is_stored_is_found(cache):
    stored = cache.store(key(), PLAN, seconds=12.34, notes=["a note"])
    found = cache.find(key())
    assert found == stored
    assert cache.plan(found) == PLAN
    assert (found.manifest.seconds, found.manifest.notes, found.manifest.verdict) == (12.3, ["a note"], None)


def test_an_empty_cache_finds_nothing_and_makes_nothing(cache):
    assert cache.find(key()) is None
    assert cache.entries() == []
    assert not cache.root.exists()


def test_another_key_is_another_engine(cache):
    cache.store(key(), PLAN)
    assert cache.find(key(gpu="Thor")) is None


def test_a_verdict_is_kept(cache):
    entry = cache.judge(cache.store(key(), PLAN), passed())
    assert cache.find(key()).manifest.accepted(HERE)
    assert cache.plan(entry) == PLAN


@pytest.mark.parametrize("damage", [b"", PLAN[:-1], PLAN[:-1] + b"x", PLAN + b"x"])
def test_a_changed_engine_is_never_handed_out(cache, damage):
    entry = cache.store(key(), PLAN)
    entry.plan_path.write_bytes(damage)
    with pytest.raises(EngineError, match="not those which were built"):
        cache.plan(entry)


def test_an_engine_put_under_another_key_is_refused(cache):
    """Whoever can rename folders could otherwise serve an engine of another model."""
    entry = cache.store(key(), PLAN)
    entry.folder.rename(cache.root / key(model_sha256="cd").digest)
    with pytest.raises(EngineError, match="model_sha256 ab"):
        cache.find(key(model_sha256="cd"))


def test_a_changed_manifest_is_refused(cache):
    entry = cache.store(key(), PLAN)
    path = entry.folder / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "size": 1}))
    with pytest.raises(EngineError, match="does not verify"):
        cache.find(key())


def test_a_missing_manifest_or_engine_says_what_to_do(cache):
    entry = cache.store(key(), PLAN)
    entry.plan_path.unlink()
    with pytest.raises(EngineError, match=r"No such file.*it is built again"):
        cache.plan(entry)
    (entry.folder / "manifest.json").unlink()
    with pytest.raises(EngineError, match="edge-ai compile"):
        cache.find(key())


def test_a_newer_engine_takes_the_place_of_the_older(cache):
    cache.judge(cache.store(key(), PLAN), passed())
    cache.store(key(), b"new")
    found = cache.find(key())
    assert cache.plan(found) == b"new"
    assert found.manifest.verdict is None
    assert [path.name for path in cache.root.iterdir()] == [key().digest]


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_the_old_engine_and_nothing_else(cache, monkeypatch, call):
    cache.store(key(), PLAN)
    if call == "fsync":
        monkeypatch.setattr(engine_cache.os, "fsync", full)
    else:
        rename = engine_cache.Path.rename
        monkeypatch.setattr(
            engine_cache.Path,
            "rename",
            lambda a, b: full() if b.name == key().digest and "-old" not in a.name else rename(a, b),
        )
    with pytest.raises(EngineError, match=r"No space left.*free some space"):
        cache.store(key(), b"new")
    assert cache.plan(cache.find(key())) == PLAN
    assert [path.name for path in cache.root.iterdir()] == [key().digest]


def test_a_full_disk_leaves_the_old_verdict(cache, monkeypatch):
    entry = cache.judge(cache.store(key(), PLAN), passed())
    monkeypatch.setattr(engine_cache.os, "fsync", full)
    with pytest.raises(EngineError, match="free some space"):
        cache.judge(entry, passed(driver="2"))
    assert cache.find(key()).manifest.accepted(HERE)
    assert len(list(entry.folder.iterdir())) == 2


def test_what_a_killed_process_left_is_swept(cache):
    cache.store(key(), PLAN)
    for pid in (os.getpid(), 2**22 + 5):
        (cache.root / f".new-{pid}-x").mkdir()
    cache.sweep()
    assert (cache.root / f".new-{os.getpid()}-x").exists()
    assert not (cache.root / f".new-{2**22 + 5}-x").exists()


def test_the_last_good_engine_is_of_the_same_model_and_machine(cache):
    def add(built, environment=None, **changes):
        entry = cache.store(key(**changes), PLAN)
        if environment is not None:
            entry = cache.judge(entry, passed(**environment))
        return entry

    options = {"precision": "fp32", "shapes": {}}
    good = add(1, HERE, options=options)
    add(2, None, options={"precision": "best", "shapes": {}})
    add(3, {"driver": "1"}, options={"precision": "int8", "shapes": {}})
    add(4, HERE, options={"precision": "fp32", "shapes": {"x": 1}})
    add(5, HERE, options=options, model_sha256="other")
    add(6, HERE, options=options, tensorrt="10.4.0")
    add(7, HERE, options=options, gpu="Thor")
    assert cache.last_good(key(), HERE) == good
    assert cache.last_good(key(model_sha256="none"), HERE) is None


def test_timings_are_kept_by_version_and_gpu(cache):
    cache.root.mkdir()
    cache.keep_timings(key(), b"timings")
    assert cache.timing_path(key(model_sha256="cd")).read_bytes() == b"timings"
    assert not cache.timing_path(key(gpu="Thor")).exists()


def test_timings_that_cannot_be_kept_are_no_error(cache, caplog):
    cache.keep_timings(key(), b"timings")
    assert "not kept" in caplog.text


def test_the_cache_lies_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert EngineCache.at("").root == tmp_path / "edge_ai" / "engines"
    assert EngineCache.at(str(tmp_path / "mine")).root == tmp_path / "mine"


def test_the_model_digest_counts_external_data(tmp_path):
    onnx = pytest.importorskip("onnx")
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 64]) for n in "xy")
    model = helper.make_model(helper.make_graph([node], "g", [x], [y], [weights]))
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    before = model_digest(path)
    data = bytearray((tmp_path / "weights.bin").read_bytes())
    data[0] ^= 1
    (tmp_path / "weights.bin").write_bytes(data)
    assert model_digest(path) != before
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(EngineError, match=r"weights.bin.*put the file beside the model"):
        model_digest(path)
