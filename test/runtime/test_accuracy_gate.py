"""The shipped model as its own engine, whole and damaged, on real pictures."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.core.errors import EngineError
from edge_ai.evaluation import LabelError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.accuracy_gate import BY_AGREEMENT, BY_LABELS, AccuracyGate
from edge_ai.runtime.agreement import MOST_DIFFERENCE, gate
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card

pytest.importorskip("pycocotools")
onnx = pytest.importorskip("onnx")
ROOT = Path(__file__).parents[2]
VIDEO = Path(os.environ.get("EDGE_AI_VTEST") or ROOT / "out" / "data" / "vtest.avi")
PICTURES = 12


@pytest.fixture(scope="module")
def card():
    return ModelCard.load(shipped_card())


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder with the first labelled frames of vtest.avi and their labels."""
    if not VIDEO.is_file():
        pytest.skip(f"no {VIDEO}: name vtest.avi (from Debian's opencv-doc) in EDGE_AI_VTEST, or run the demo once")
    folder = tmp_path_factory.mktemp("labelled")
    labels = json.loads((ROOT / "test" / "accuracy" / "vtest53_person.json").read_text())
    labels["images"] = labels["images"][:PICTURES]
    names = {image["id"]: image["file_name"] for image in labels["images"]}
    labels["annotations"] = [one for one in labels["annotations"] if one["image_id"] in names]
    video = cv2.VideoCapture(str(VIDEO))
    for number in range(max(names) + 1):
        assert video.grab()
        if number in names:
            cv2.imwrite(str(folder / names[number]), video.retrieve()[1])
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture
def unlabelled(labelled, tmp_path):
    for path in labelled.glob("*.png"):
        os.link(path, tmp_path / path.name)
    return tmp_path


class Remembered:
    """The reference, asked once about each picture: the tests ask for the same ones again and again."""

    def __init__(self, backend):
        self._backend, self._answers = backend, {}

    def infer(self, feeds):
        key = next(iter(feeds.values())).tobytes()
        if key not in self._answers:
            self._answers[key] = self._backend.infer(feeds)
        return self._answers[key]


class Changed:
    """An engine whose answers are the reference's, changed."""

    def __init__(self, backend, change):
        self._backend, self._change = backend, change

    def infer(self, feeds):
        return {name: self._change(name, array.copy()) for name, array in self._backend.infer(feeds).items()}


@pytest.fixture(scope="module")
def reference(card):
    backend = OnnxRuntimeBackend(backend_options(card, InferenceParams()))
    backend.activate(card.model_path)
    yield Remembered(backend)
    backend.deactivate()


@pytest.fixture(scope="module")
def damaged(card, tmp_path_factory):
    """The model with noise of a fifth of their size on its weights."""
    model, random = onnx.load(str(card.model_path)), np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim == 4:
            noisy = values + random.normal(0, 0.2 * values.std(), values.shape).astype(values.dtype)
            tensor.CopyFrom(onnx.numpy_helper.from_array(noisy, tensor.name))
    path = tmp_path_factory.mktemp("damaged") / "model.onnx"
    onnx.save(model, str(path))
    backend = OnnxRuntimeBackend(backend_options(card, InferenceParams()))
    backend.activate(path)
    yield Remembered(backend)
    backend.deactivate()


def halves(_name, array):
    return array.astype(np.float16).astype(array.dtype)


def without(*numbers):
    """Scores of some classes zeroed."""

    def change(name, array):
        if name == "scores":
            array[..., list(numbers)] = 0
        return array

    return change


@pytest.mark.parametrize("precision", list(BY_LABELS))
def test_the_same_answers_pass(card, reference, labelled, unlabelled, precision):
    for folder, by in ((labelled, "labels"), (unlabelled, "agreement with ONNX Runtime")):
        verdict = gate("accuracy", card, precision, str(folder)).judge(reference, reference)
        assert verdict.passed
        assert verdict.gate == "accuracy"
        assert f"by {by} on {PICTURES} pictures" in verdict.reason
        assert verdict.figures["loss"] == 0
        assert verdict.figures["pictures"] == PICTURES


def test_half_precision_passes_where_it_was_asked_for(card, reference, labelled, unlabelled):
    for folder in (labelled, unlabelled):
        assert AccuracyGate(card, "fp16", str(folder)).judge(Changed(reference, halves), reference).passed


@pytest.mark.parametrize("precision", list(BY_LABELS))
def test_damaged_weights_are_refused_at_every_precision(card, reference, damaged, labelled, unlabelled, precision):
    for folder in (labelled, unlabelled):
        verdict = AccuracyGate(card, precision, str(folder)).judge(damaged, reference)
        assert not verdict.passed
        assert verdict.figures["loss_low"] < verdict.figures["loss"] < verdict.figures["loss_high"]
        assert "AP50-95" in verdict.reason


def test_a_class_that_is_lost_is_named(card, reference, labelled, unlabelled):
    person = card.labels.index("person")
    lost = Changed(reference, without(person))
    assert not AccuracyGate(card, "int8", str(labelled)).judge(lost, reference).passed, (
        "the only class that is labelled"
    )
    verdict = AccuracyGate(card, "int8", str(unlabelled)).judge(lost, reference)
    assert not verdict.passed
    assert "class 'person'" in verdict.reason


def test_a_lost_class_is_found_where_the_mean_still_passes(card, reference, unlabelled, monkeypatch):
    """One class of several, with a budget for the mean in which it would vanish."""
    monkeypatch.setitem(BY_AGREEMENT, "int8", type(BY_AGREEMENT["int8"])(0.9, 0.3))
    lost = Changed(reference, without(card.labels.index("car")))
    verdict = AccuracyGate(card, "int8", str(unlabelled)).judge(lost, reference)
    assert verdict.figures["loss"] < 0.9
    assert not verdict.passed
    assert "class 'car' is 1.0000" in verdict.reason


def test_classes_that_the_labels_leave_out_do_not_count(card, reference, labelled):
    lost = Changed(reference, without(card.labels.index("car")))
    assert AccuracyGate(card, "fp32", str(labelled)).judge(lost, reference).passed


def test_a_model_that_finds_nothing_of_what_is_labelled_proves_nothing(card, reference, labelled):
    blind = Changed(reference, without(card.labels.index("person")))
    verdict = AccuracyGate(card, "int8", str(labelled)).judge(blind, blind)
    assert not verdict.passed
    assert "of 0.0000" in verdict.reason


@pytest.fixture
def colours(tmp_path):
    """A folder of pictures of one colour each, half of them with a square of another."""
    for number in range(12):
        picture = np.full((40, 60, 3), 20, np.uint8)
        picture[..., number % 3] = 220
        if number % 2:
            picture[5:25, 10:40] = np.roll(picture[0, 0], 1)
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), picture)
    return tmp_path


class Colours:
    """Says the colour of each pixel or, for a classifier, of the picture."""

    def __init__(self, task, change=lambda scores: scores):
        self._task, self._change = task, change

    def infer(self, feeds):
        (image,) = feeds.values()
        scores = image if self._task == "segmentation" else image.mean(axis=(2, 3))
        return {"scores": self._change(scores.astype(np.float32))}


@pytest.mark.parametrize(
    ("task", "family", "metric"), [("classification", "classifier", "top-1"), ("segmentation", "segmenter", "mIoU")]
)
def test_other_tasks_are_judged_by_their_own_metric(colours, task, family, metric):
    values = {
        "name": "colours",
        "version": "1",
        "task": task,
        "file": "colours.onnx",
        "sha256": "0" * 64,
        "licence": "none",
        "source": "here",
        "input": {
            "name": "image",
            "layout": "nchw",
            "size": [60, 40],
            "color": "bgr",
            "scale": 1 / 255,
            "resize": "stretch",
        },
        "outputs": {"scores": "scores"},
        "decoder": {"family": family},
        "score_threshold": 0.0,
        "labels": ["blue", "green", "red"],
    }
    card = ModelCard.parse(values, folder=colours, owner="test")
    judged = AccuracyGate(card, "fp16", str(colours))
    right = Colours(task)
    verdict = judged.judge(right, right)
    assert verdict.passed
    assert metric in verdict.reason
    worse = judged.judge(Colours(task, lambda scores: np.roll(scores, 1, axis=1)), right)
    assert not worse.passed


def test_every_precision_has_a_budget():
    assert set(BY_LABELS) == set(BY_AGREEMENT) == set(MOST_DIFFERENCE)


@pytest.mark.parametrize(("folder", "message"), [("", "no engine_calibration"), ("/no/such/folder", "no/such/folder")])
def test_made_pictures_do_not_do(card, folder, message):
    with pytest.raises(EngineError, match=f"{message}.*real pictures.*engine_calibration"):
        gate("accuracy", card, "fp16", folder)


def test_too_few_pictures(card, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((20, 20, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(EngineError, match=r"got 3 pictures.*at least 8"):
        AccuracyGate(card, "fp16", str(tmp_path))


def test_wrong_labels(card, unlabelled):
    (unlabelled / "labels.json").write_text("{}")
    with pytest.raises(LabelError, match=r"labels\.json"):
        AccuracyGate(card, "fp16", str(unlabelled))


def test_a_labelled_picture_that_is_missing_or_torn(card, labelled, unlabelled, reference):
    (unlabelled / "labels.json").write_bytes((labelled / "labels.json").read_bytes())
    first = next(unlabelled.glob("*.png"))
    first.unlink()
    with pytest.raises(EngineError, match=f"no '{first}'.*file_name"):
        AccuracyGate(card, "fp16", str(unlabelled))
    first.write_bytes(b"no picture")
    with pytest.raises(EngineError, match="cannot be read"):
        AccuracyGate(card, "fp16", str(unlabelled)).judge(reference, reference)


def test_a_torn_picture_among_unlabelled_ones_is_passed_over(card, unlabelled, reference):
    (unlabelled / "torn.png").write_bytes(b"no picture")
    verdict = AccuracyGate(card, "fp16", str(unlabelled)).judge(reference, reference)
    assert verdict.figures["pictures"] == PICTURES
