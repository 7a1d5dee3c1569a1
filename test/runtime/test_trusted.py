"""With keys configured nothing but what was signed is loaded, and no engine is looked into before that is known."""

import shutil
import time
from datetime import datetime, timedelta, timezone

import pytest
import yaml

from edge_ai.backends import select as backends
from edge_ai.backends.cuda_memory import DeviceInfo
from edge_ai.backends.engine_cache import EngineCache
from edge_ai.backends.engine_key import key_for
from edge_ai.core.errors import ArtifactError, CardError, ModelError, ParameterError
from edge_ai.deployment.artifacts.keys import PrivateKey
from edge_ai.deployment.artifacts.make import Source, make_set
from edge_ai.optimization.signing import Belongings, sources
from edge_ai.processing.card import ModelCard
from edge_ai.runtime import model as model_module
from edge_ai.runtime.engine_build import EngineBuild
from edge_ai.runtime.engine_job import EngineRequest
from edge_ai.runtime.model import Model, backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.trusted import admission, confirm_launched, trusted_card, with_config
from edge_ai.runtime.variants import Variants


@pytest.fixture(scope="module")
def release():
    return PrivateKey.make()


@pytest.fixture
def sign(tmp_path, release):
    """Signs a card with what belongs to it."""

    def sign(card=None, *, version=3, target="any", files=None, key=release, into="set", days=9, **belongings):
        card, folder = card or shipped_card(), tmp_path / f"{into}-{version}"
        make_set(
            files if files is not None else sources(card, Belongings(**belongings)),
            folder,
            [key],
            name=card.stem,
            version=version,
            expires=datetime.now(timezone.utc) + timedelta(days=days),
            targets=[target],
        )
        return folder

    return sign


@pytest.fixture
def params(tmp_path, release):
    """A robot that trusts the release key."""
    (tmp_path / "release.pub").write_bytes(release.public.pem)

    def make(model="", **values):
        where = {"trusted_keys": [str(tmp_path / "release.pub")], "artifact_store": str(tmp_path / "store")}
        return InferenceParams.parse({"model": str(model), "warm_up": 0, **where, **values})

    return make


@pytest.fixture
def written(tmp_path):
    """The shipped card with other values, beside a copy of its files."""

    def write(**changes):
        folder = shutil.copytree(shipped_card().parent, tmp_path / "models", dirs_exist_ok=True)
        path = folder / "changed.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(shipped_card().read_text()), **changes}))
        return path

    return write


def test_a_signed_model_runs_from_the_store_by_its_set_or_its_card(sign, params, make_frame, tmp_path):
    folder = sign()
    for path in (folder, folder / shipped_card().name):
        model = Model.load(params(path))
        assert model.card.model_path.is_relative_to(tmp_path / "store")
        assert model(make_frame()).detections is not None
        model.close()


def test_an_unsigned_card_is_refused_wherever_models_are_loaded(params, sign, small_card):
    """Nodes and `edge-ai run` load by these two."""
    for values in ({}, {"model": str(small_card)}, {"model": str(sign()), "variants": [str(small_card)]}):
        with pytest.raises(ArtifactError, match=r"wanted a signed set.*edge-ai sign CARD --into SET"):
            Variants(params(**values))
    with pytest.raises(ArtifactError, match="edge-ai sign"):
        Model.load(params())


def test_each_variant_is_of_a_set_of_its_own(sign, params, small_card, make_frame):
    model, light = sign(), sign(small_card, into="light")
    variants = Variants(params(model, variants=[str(light)], variant_loading="start", variant="1"))
    variants.open()
    assert variants.serving.path.stem == small_card.stem
    assert variants.model(make_frame()).detections is not None
    variants.close()


def test_without_keys_a_card_will_do_if_its_model_is_the_one(written):
    params = InferenceParams()
    admitted = admission(params)(shipped_card())
    assert (admitted.card, admitted.config, admitted.golden) == (shipped_card(), None, None)
    assert trusted_card(shipped_card(), params) == shipped_card()
    confirm_launched(params)
    with pytest.raises(ModelError, match="sha256"):
        admission(params)(written(sha256="0" * 64))


def test_admission_brings_what_the_set_brings(sign, params, tmp_path):
    config, golden = tmp_path / "node.yaml", tmp_path / "answers"
    config.write_text("inference:\n  ros__parameters:\n    threads: 3\n    workers: 2\n")
    golden.mkdir()
    (golden / "golden.json").write_text("{}")
    admitted = admission(params())(sign(config=config, golden=golden))
    assert admitted.golden / "golden.json" == admitted.card.parent / "golden/golden.json"
    assert admitted.title == f"{shipped_card().stem} version 3 (nanodet_g_416 1.0)"
    assert with_config(params(), admitted.config) == params().changed(threads=3), "how many workers is the node's"


def test_a_model_runs_as_its_set_says_however_it_is_loaded(sign, params, tmp_path, monkeypatch):
    config, seen = tmp_path / "node.yaml", []
    config.write_text("inference:\n  ros__parameters:\n    threads: 3\n")
    folder = sign(config=config)

    def choose(path, options):
        seen.append((path.parent.parent, options.threads))
        return backends.choose(path, options)

    monkeypatch.setattr(model_module, "choose", choose)
    Model.load(params(folder, threads=1)).close()
    light = Variants(params(folder, threads=1, variants=[str(folder)], variant_loading="start"))
    light.open()
    light.close()
    assert seen == [(tmp_path / "store/sets", 3)] * 3


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("workers: many", ParameterError, "workers"),
        ("wheels: 4", ParameterError, "wheels"),
        ("trusted_keys: [mine.pub]", ArtifactError, "trusted_keys; wanted none of these"),
        ("artifact_store: /tmp", ArtifactError, "artifact_store"),
        ("model: other.yaml", ArtifactError, "model"),
    ],
)
def test_parameters_that_no_set_may_bring_are_refused_by_signer_and_robot(sign, params, tmp_path, text, kind, said):
    config = tmp_path / "node.yaml"
    config.write_text(f"inference:\n  ros__parameters:\n    {text}\n")
    with pytest.raises(kind, match=said):
        sign(config=config)
    forced = [*sources(shipped_card(), Belongings()), Source(config, "params.yaml", "config")]
    with pytest.raises(kind, match=said):
        admission(params())(sign(files=forced))


def test_a_card_that_reaches_out_of_its_set_is_refused_by_signer_and_robot(sign, params, written, tmp_path):
    shutil.copyfile(ModelCard.load(shipped_card()).model_path, tmp_path / "outside.onnx")
    card = written(file="../outside.onnx")
    with pytest.raises(ArtifactError, match="outside the folder of its card"):
        sign(card)
    forced = [Source(card, card.name, "card"), Source(tmp_path / "outside.onnx", "model.onnx", "model")]
    forced.append(Source(card.parent / "coco80.txt", "coco80.txt", "labels"))
    with pytest.raises((ArtifactError, CardError), match=r"\.\./outside\.onnx"):
        admission(params())(sign(card, files=forced))


def test_only_the_card_of_the_set_is_loaded(sign, params):
    folder = sign()
    (folder / "other.yaml").write_bytes((folder / shipped_card().name).read_bytes())
    with pytest.raises(ArtifactError, match=r"other\.yaml"):
        Model.load(params(folder / "other.yaml"))
    (folder / "other.yaml").unlink()
    admission(params())(folder)
    (folder / "other.yaml").write_bytes((folder / shipped_card().name).read_bytes())
    with pytest.raises(ArtifactError, match="no card of its set"):
        Model.load(params(folder / "other.yaml"))


def test_a_launch_that_is_open_leaves_no_way_back(sign, params):
    old, new = sign(version=3), sign(version=4)
    Model.load(params(old)).close()
    confirm_launched(params(new))
    with pytest.raises(ArtifactError, match="an older version; wanted 4"):
        Model.load(params(old))
    Model.load(params(new)).close()


def test_a_set_is_confirmed_by_whoever_has_tried_it(sign, params):
    admit = admission(params())
    old, new = sign(version=3), sign(version=4)
    admit(old)
    admit(new)
    admit(old)
    admit(new).confirm()
    with pytest.raises(ArtifactError, match="an older version"):
        admit(old)


@pytest.fixture
def engine(double_gpu, tmp_path, monkeypatch):
    """Builds a model's engine on another machine, with a secret of its own; gives its folder."""

    def make(path, plan=None):
        where, card = tmp_path / "there", ModelCard.load(path)
        options = backend_options(card, InferenceParams(cuda=double_gpu().binding, engine_cache=str(where / "engines")))
        if plan is not None:
            device = DeviceInfo("Orin", (8, 7), 7620 << 20, True, 12060)
            key = key_for(card.model_path, options, device, "10.3.0")
            return EngineCache(where / "engines", b"t" * 32).store(key, plan).folder
        with monkeypatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(where / "config"))
            return EngineBuild(EngineRequest(card=str(path), options=options)).run()

    return make


@pytest.fixture
def gpu_params(params, double_gpu, tmp_path):
    def make(model="", **machine):
        binding = double_gpu(**machine).binding
        return params(model, cuda=binding, engine_cache=str(tmp_path / "engines"))

    return make


def test_an_engine_of_a_set_serves_once_the_gate_has_let_it_pass(engine, sign, gpu_params, double_gpu, small_card):
    """It is the very one that was brought: nothing is built here."""
    folder = sign(small_card, engine=engine(small_card))
    here = gpu_params(folder)
    model = Model.load(here)
    deadline = time.monotonic() + 60
    while "TensorRT" not in model.backend.description or model.backend.note:
        assert time.monotonic() < deadline, model.backend.note
        time.sleep(0.02)
    model.close()
    (entry,) = EngineCache.at(here.engine_cache).entries()
    assert entry.plan_path.read_bytes() == (folder / "engine/engine.plan").read_bytes()
    assert entry.manifest.verdict.passed
    assert double_gpu.deserialized() > 0


def test_after_an_update_of_tensorrt_a_known_set_goes_on_without_its_engine(engine, sign, gpu_params, caplog):
    folder = sign(engine=engine(shipped_card(), b"native code"))
    admission(gpu_params(folder))(folder)
    admitted = admission(gpu_params(folder, trt="10.13.3"))(folder)
    assert admitted.card.is_file()
    assert [entry.manifest.key.tensorrt for entry in EngineCache.at(gpu_params(folder).engine_cache).entries()] == [
        "10.3.0"
    ]
    assert "is not used: " in caplog.text
    assert "tensorrt 10.3.0 (wanted 10.13.3)" in caplog.text


def _flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("wrong", ["signature", "plan", "manifest", "device", "gpu", "tensorrt"])
def test_no_byte_of_an_engine_is_deserialised_where_anything_is_wrong(
    engine, sign, gpu_params, double_gpu, wrong, tmp_path, release
):
    folder = sign(
        engine=engine(shipped_card(), b"native code"),
        key=PrivateKey.make() if wrong == "signature" else release,
        target="thor" if wrong == "device" else "any",
    )
    if wrong in ("plan", "manifest"):
        _flipped(folder / "engine" / {"plan": "engine.plan", "manifest": "manifest.json"}[wrong])
    machine = {"gpu": {"gpu": {"name": "Thor"}}, "tensorrt": {"trt": "10.13.3"}}.get(wrong, {})
    here = gpu_params(folder, **machine)
    before = double_gpu.deserialized()
    with pytest.raises(ArtifactError):
        Model.load(here)
    assert double_gpu.deserialized() == before
    assert EngineCache.at(here.engine_cache).entries() == []
    assert not list((tmp_path / "store/sets").glob("*"))
