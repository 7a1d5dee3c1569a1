"""Engines from elsewhere: what is of this machine is kept for the gate, nothing else is."""

import json

import pytest

from edge_ai.backends.cuda_memory import DeviceInfo
from edge_ai.backends.engine_adopt import adopt
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.engine_key import key_for
from edge_ai.backends.engine_manifest import Verdict
from edge_ai.core.errors import EngineError

ORIN = DeviceInfo("Orin", (8, 7), 8 << 30, True, 12060)
TENSORRT = "10.3.0"
PLAN = b"plan" * 1000


@pytest.fixture
def built(tmp_path, make_model, make_options):
    """An engine of the cache of another machine, which has its own secret, and the model it was built from."""

    def build(device=ORIN, tensorrt=TENSORRT, **engine):
        path, options = make_model(), make_options()
        shapes = {"left": ((1, 3), (1, 3), (1, 3))}
        changed = options.model_copy(update={"engine": options.engine.changed(**engine), "shapes": shapes})
        cache = EngineCache(tmp_path / "there", b"t" * 32)
        entry = cache.store(key_for(path, changed, device, tensorrt), PLAN, seconds=3.0, notes=["a note"])
        return path, cache.judge(entry, Verdict(passed=True, reason="good there", environment={"TensorRT": tensorrt}))

    return build


@pytest.fixture
def here(tmp_path):
    return EngineCache(tmp_path / "here", b"h" * 32)


@pytest.mark.parametrize("engine", [{}, {"precision": "int8", "dla_core": 0}, {"engine_for": "ampere_plus"}])
def test_an_engine_of_this_machine_is_kept_without_its_verdict(built, here, engine):
    path, entry = built(**engine)
    adopted = adopt(entry.folder, path, ORIN, TENSORRT, here)
    found = here.find(entry.manifest.key)
    assert found == adopted
    assert here.plan(found) == PLAN
    assert found.manifest.verdict is None, "the gate of this machine has not seen it"
    assert found.manifest.notes == ["a note"]


def test_what_was_adopted_before_keeps_the_verdict_of_this_machine(built, here):
    path, entry = built()
    passed = Verdict(passed=True, reason="good here", environment={"TensorRT": TENSORRT})
    here.judge(adopt(entry.folder, path, ORIN, TENSORRT, here), passed)
    assert adopt(entry.folder, path, ORIN, TENSORRT, here).manifest.verdict == passed


@pytest.mark.parametrize(
    ("device", "tensorrt", "said"),
    [
        (DeviceInfo("Thor", (11, 0), 8 << 30, True, 13000), TENSORRT, r"gpu Orin \(wanted Thor\)"),
        (DeviceInfo("Orin", (8, 6), 8 << 30, True, 12060), TENSORRT, r"compute_capability 8\.7 \(wanted 8\.6\)"),
        (ORIN, "10.4.0", r"tensorrt 10\.3\.0 \(wanted 10\.4\.0\)"),
    ],
)
def test_an_engine_of_another_machine_is_refused(built, here, device, tensorrt, said):
    path, entry = built()
    with pytest.raises(EngineError, match=rf"{said}.*edge-ai compile"):
        adopt(entry.folder, path, device, tensorrt, here)
    assert here.entries() == []


def test_an_engine_of_another_model_is_refused(built, here, make_model):
    _, entry = built()
    with pytest.raises(EngineError, match="model_sha256"):
        adopt(entry.folder, make_model((2, 3), "other.onnx"), ORIN, TENSORRT, here)


def test_an_engine_that_its_manifest_does_not_describe_is_refused(built, here):
    path, entry = built()
    entry.plan_path.write_bytes(PLAN + b"x")
    with pytest.raises(EngineError, match="another engine than its manifest describes"):
        adopt(entry.folder, path, ORIN, TENSORRT, here)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda values: {},
        lambda values: {**values, "format": 7},
        lambda values: {**values, "key": {**values["key"], "options": {}}},
        lambda values: {**values, "key": {**values["key"], "options": {"shapes": {"x": 1}}}},
        lambda values: {**values, "key": {**values["key"], "options": {"shapes": {}, "precision": "fp5"}}},
    ],
)
def test_a_malformed_manifest_is_refused_in_words(built, here, spoil):
    path, entry = built()
    file = entry.folder / "manifest.json"
    file.write_text(json.dumps(spoil(json.loads(file.read_text()))))
    with pytest.raises(EngineError, match="To mend"):
        adopt(entry.folder, path, ORIN, TENSORRT, here)
    file.unlink()
    with pytest.raises(EngineError, match=r"No such file.*To mend"):
        adopt(entry.folder, path, ORIN, TENSORRT, here)
