"""Which model answers, and what becomes of variants that are asked for."""

import threading

import pytest
import yaml

from edge_ai.core.errors import CardError, EdgeAIError, ModelError, ParameterError
from edge_ai.core.files import sha256_of
from edge_ai.processing.card import ModelCard
from edge_ai.runtime import model as model_module
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.variant_cards import Choices
from edge_ai.runtime.variants import Variants


@pytest.fixture
def params(int8_card, small_card):
    return InferenceParams(variants=[str(int8_card), str(small_card)], warm_up=0)


@pytest.fixture
def opened(request):
    def make(params):
        variants = Variants(params)
        request.addfinalizer(variants.close)
        variants.open()
        return variants

    return make


@pytest.fixture
def card_like(tmp_path):
    """The shipped card under another name, with some keys changed."""

    def make(stem, model=None, **changes):
        original = ModelCard.load(shipped_card())
        model = model or original.model_path
        values = original.model_dump(mode="json", exclude_none=True)
        values |= {"file": str(model), "sha256": sha256_of(model), "keypoints": [], **changes}
        values = {key: value for key, value in values.items() if value != []}
        path = tmp_path / f"{stem}.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return make


def loaded(monkeypatch):
    """Names of the card files of all models that are loaded from now on."""
    names, real = [], Model.load.__func__

    def load(cls, params, clock=None):
        names.append(params.model.rpartition("/")[2])
        return real(cls, params, clock)

    monkeypatch.setattr(Model, "load", classmethod(load))
    return names


def test_without_variants_the_model_itself_answers(opened, make_frame):
    variants = opened(InferenceParams())
    assert variants.model.serving is variants.original
    assert variants.model(make_frame()).model_version == "1.0"
    assert variants.note == ""
    variants.update(InferenceParams(score_threshold=0.3, classes=["person"]))
    assert variants.serving.card is variants.choices[0].card


@pytest.mark.parametrize("named", ["1", 1, "int8"])
def test_a_variant_is_loaded_when_asked_for_and_answers_from_then_on(opened, params, make_frame, monkeypatch, named):
    names = loaded(monkeypatch)
    variants = opened(params)
    assert names == ["nanodet_g_416.yaml"]
    variants.update(params.changed(variant=named))
    assert variants.wait(30)
    assert names == ["nanodet_g_416.yaml", "int8.yaml"]
    assert variants.model(make_frame()).model_version == "1.0+int8"
    variants.update(params)
    assert variants.model(make_frame()).model_version == "1.0", "the way back needs no loading"
    variants.update(params.changed(variant=named))
    assert variants.model(make_frame()).model_version == "1.0+int8", "nor does it a second time"
    assert len(names) == 2


def test_the_last_one_asked_for_wins(opened, params, make_frame, monkeypatch):
    names = loaded(monkeypatch)
    variants = opened(params)
    for variant in ("1", "2", "1", "", "2"):
        variants.update(params.changed(variant=variant))
    assert variants.wait(30)
    assert variants.model(make_frame()).model_version == "1.0+small"
    assert len(names) == len(set(names)), "each at most once"


def test_a_variant_may_answer_from_the_start(opened, params, make_frame):
    variants = opened(params.changed(variant="small"))
    assert variants.model(make_frame()).model_version == "1.0+small"
    variants.update(params)
    assert variants.model(make_frame()).model_version == "1.0"


def test_all_may_be_loaded_at_the_start_and_stay(opened, params, monkeypatch):
    names = loaded(monkeypatch)
    variants = opened(params.changed(variant_loading="start"))
    assert names == ["nanodet_g_416.yaml", "int8.yaml", "small.yaml"]
    variants.free_memory()
    variants.update(params.changed(variant="2"))
    assert variants.model.card.version == "1.0+small"
    assert len(names) == 3


def test_what_is_reported_holds_for_a_variant_that_is_loaded_later(opened, params, make_frame, people):
    variants = opened(params)
    only = params.changed(classes=["person"], score_threshold=0.1)
    variants.update(only)
    variants.update(only.changed(variant="1"))
    assert variants.wait(30)
    found = variants.model(make_frame(image=people)).detections
    assert set(found.class_ids.tolist()) == {0}
    assert min(found.scores) < 0.3
    variants.update(only.changed(variant="1", score_threshold=0.5))
    assert min(variants.model(make_frame(image=people)).detections.scores) >= 0.5


def test_what_does_not_exist_is_refused_and_changes_nothing(opened, params, make_frame, people):
    variants = opened(params)
    with pytest.raises(ParameterError, match=r"got '3'; wanted one of 0: nanodet_g_416 .*, 1: int8 .*, 2: small"):
        variants.update(params.changed(variant="3", score_threshold=0.9))
    with pytest.raises(ParameterError, match="no class"):
        variants.update(params.changed(variant="1", classes=["unicorn"]))
    assert variants.model(make_frame(image=people)).model_version == "1.0"
    assert len(variants.model(make_frame(image=people)).detections) > 0
    with pytest.raises(ParameterError, match="name the cards of lighter models in 'variants' first"):
        Variants(InferenceParams(variant="1"))


def test_a_name_that_several_have_has_to_be_told_apart(card_like):
    one, other = card_like("one", version="2"), card_like("other", version="3", name="light")
    several = Choices(InferenceParams(variants=[str(one), str(other)]))
    assert several.find("light") == 2
    assert several.find("nanodet_g_416") == 0, "the file's name of the model itself"
    assert (several.find("one"), several.find("0"), several.find("")) == (1, 0, 0)
    alike = Choices(InferenceParams(model=str(one), variants=[str(shipped_card()), str(other)]))
    twins = Choices(InferenceParams(model=str(other), variants=[str(one), str(card_like("more", version="4"))]))
    assert alike.find("nanodet_g_416") == 1
    with pytest.raises(ParameterError, match="'nanodet_g_416', as 2 of them are called"):
        twins.find("nanodet_g_416")


LABELS = list(ModelCard.load(shipped_card()).labels)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["human", *LABELS[1:]]}, "number 0 is 'human' in place of 'person'"),
        ({"labels": LABELS[:79]}, "79 in place of 80"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"file": "nowhere.onnx"}, "readable file"),
    ],
)
def test_what_cannot_stand_in_is_refused_at_once(card_like, changes, said):
    card = card_like("other", **changes)
    with pytest.raises((CardError, ModelError), match=said):
        Variants(InferenceParams(variants=[str(card)]))


def test_another_task_is_refused(card_like):
    choice = ModelCard.load(card_like("other"))
    values = choice.model_dump(mode="json", exclude_none=True)
    values |= {"task": "classification", "decoder": {"family": "classifier"}, "outputs": {"scores": "scores"}}
    values = {key: value for key, value in values.items() if key not in ("nms", "keypoints")}
    path = card_like("classifier").with_name("classifier.yaml")
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(CardError, match="'task' classification; wanted detection"):
        Variants(InferenceParams(variants=[str(path)]))


def test_a_variant_that_cannot_be_loaded_leaves_the_present_one_and_is_tried_again(
    opened, params, card_like, make_frame, tmp_path, int8_card
):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model at all")
    card = card_like("broken", broken, version="9")
    both = params.changed(variants=[str(card), str(int8_card)])
    variants = opened(both)
    variants.update(both.changed(variant="1"))
    assert not variants.wait(30)
    assert variants.note.startswith("broken (nanodet_g_416 9) cannot answer, nanodet_g_416")
    assert "cannot be loaded" in variants.note
    assert variants.model(make_frame()).model_version == "1.0"
    variants.update(both.changed(variant="2"))
    assert variants.wait(30)
    assert (variants.note, variants.model.card.version) == ("", "1.0+int8")
    good = ModelCard.load(shipped_card()).model_path
    broken.write_bytes(good.read_bytes())
    card.write_text(card.read_text().replace(ModelCard.load(card).sha256, sha256_of(good)))
    variants.update(both.changed(variant="1"))
    assert variants.wait(30)
    assert variants.model(make_frame()).model_version == "9"


def test_a_variant_has_to_answer_before_it_answers_frames(opened, card_like, make_frame):
    card = card_like("wrong", version="9", outputs={"scores": "dist", "distances": "scores"})
    params = InferenceParams(variants=[str(card)], variant="1")
    with pytest.raises(EdgeAIError, match="scores"):
        opened(params)
    variants = opened(params.changed(variant=""))
    variants.update(params)
    assert not variants.wait(30)
    assert "cannot answer" in variants.note
    assert variants.model(make_frame()).model_version == "1.0"


def test_idle_variants_can_be_let_go_and_come_back(opened, params, make_frame, monkeypatch):
    names = loaded(monkeypatch)
    variants = opened(params)
    for variant in ("2", "1", "2"):
        idle = variants.model.serving
        variants.update(params.changed(variant=variant))
        assert variants.wait(30)
    assert idle.card.version == "1.0+int8"
    assert idle.backend.active
    assert variants.free_memory() >= 0
    assert not idle.backend.active
    assert variants.model(make_frame()).model_version == "1.0+small"
    assert variants.original.backend.active
    variants.update(params.changed(variant="1"))
    assert variants.wait(30)
    assert names.count("int8.yaml") == 2, "it was let go"
    assert variants.model(make_frame()).model_version == "1.0+int8"


def test_closing_waits_for_a_loading_under_way_and_frees_it(params, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    made, real = [], Model.load.__func__

    def load(cls, params, clock=None):
        if "int8" in params.model:
            begun.set()
            assert go_on.wait(30)
        made.append(real(cls, params, clock))
        return made[-1]

    monkeypatch.setattr(Model, "load", classmethod(load))
    variants = Variants(params)
    variants.open()
    variants.update(params.changed(variant="1"))
    assert begun.wait(30)
    closing = threading.Thread(target=variants.close)
    closing.start()
    go_on.set()
    closing.join(30)
    assert [model.backend.active for model in made] == [False, False]
    variants.close()


class Building:
    """An engine that is a stand-in until it is told that the real one is there."""

    def __init__(self, monkeypatch, *names):
        self.notes, real = dict.fromkeys(names, "serves while a TensorRT engine is made"), model_module.backend_for

        def backend_for(path, card, params):
            backend = real(path, card, params)
            outer = self
            backend.__class__ = type(
                "Noted", (type(backend),), {"note": property(lambda _: outer.notes.get(path.stem, ""))}
            )
            return backend

        monkeypatch.setattr(model_module, "backend_for", backend_for)


def test_a_variant_waits_until_its_engine_is_built(opened, params, monkeypatch, make_frame):
    engines = Building(monkeypatch, "int8")
    variants = opened(params)
    variants.update(params.changed(variant="1"))
    assert not variants.wait(0.5)
    assert "int8 (nanodet_g_416 1.0+int8) waits for its engine: serves while" in variants.note
    assert variants.model(make_frame()).model_version == "1.0"
    engines.notes.clear()
    assert variants.wait(30)
    assert (variants.note, variants.model.card.version) == ("", "1.0+int8")


def test_no_variant_waits_where_the_model_itself_has_no_engine_either(opened, params, monkeypatch):
    Building(monkeypatch, "int8", "nanodet_g_416")
    variants = opened(params)
    variants.update(params.changed(variant="1"))
    assert variants.wait(30)
    assert variants.note.startswith("serves while")


def test_whoever_waits_for_an_engine_may_be_told_to_turn_back(opened, params, monkeypatch, make_frame):
    Building(monkeypatch, "int8")
    variants = opened(params)
    variants.update(params.changed(variant="1"))
    assert not variants.wait(0.3)
    variants.update(params)
    assert variants.wait(30)
    assert variants.note == ""
    assert variants.model(make_frame()).model_version == "1.0"
