"""Golden answers tell a model from another one, and not from itself in another precision."""

import json

import cv2
import numpy as np
import pytest
from swap_models import LABELS, make, picture

from edge_ai.core.errors import ArtifactError, EdgeAIError, ImageError, InferenceError
from edge_ai.core.types import Classification, Detections, Result, Segmentation
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap import golden


@pytest.fixture
def load(request):
    def make_it(card="", **params):
        model = Model.load(InferenceParams(model=str(card), warm_up=0, **params))
        request.addfinalizer(model.close)
        return model

    return make_it


@pytest.fixture
def street(tmp_path, people):
    """Pictures of a street, as they come and turned round."""
    paths = [tmp_path / "as_it_is.png", tmp_path / "mirrored.jpg"]
    for path, image in zip(paths, (people, people[:, ::-1]), strict=True):
        cv2.imwrite(str(path), image)
    return paths


@pytest.fixture
def colours(tmp_path):
    """A picture of each colour."""
    paths = [tmp_path / f"{colour}.png" for colour in LABELS]
    for path in paths:
        cv2.imwrite(str(path), picture(path.stem))
    return paths


def test_the_detector_in_another_precision_passes_and_one_of_another_input_does_not(
    model, load, street, int8_card, small_card, tmp_path
):
    golden.record(model, street, tmp_path / "golden")
    assert golden.check(model, tmp_path / "golden").detail.startswith("1.00 like the recorded ones on 2 pictures")
    assert golden.check(load(int8_card), tmp_path / "golden").passed
    other = golden.check(load(small_card), tmp_path / "golden")
    assert not other.passed
    assert "wanted 0.75" in other.detail


def test_what_the_node_reports_otherwise_has_no_say(load, street, tmp_path):
    golden.record(load(), street, tmp_path / "golden")
    model = load(score_threshold=0.9, classes=["car"])
    assert golden.check(model, tmp_path / "golden").passed


@pytest.mark.parametrize("does", ["tell", "turned", "constant"])
def test_a_classifier(load, colours, tmp_path, does):
    golden.record(load(make(tmp_path / "one")), colours, tmp_path / "golden")
    check = golden.check(load(make(tmp_path / "two", does=does, gain=7.0)), tmp_path / "golden")
    assert check.passed == (does == "tell"), check


def test_one_picture_of_many_answered_wrongly_is_enough(load, colours, tmp_path):
    marked = tmp_path / "marked.png"
    cv2.imwrite(str(marked), picture("red", marked=True))
    golden.record(load(make(tmp_path / "one")), [*colours * 4, marked], tmp_path / "golden")
    check = golden.check(load(make(tmp_path / "two", does="turned", when="marked")), tmp_path / "golden")
    assert not check.passed
    assert "012.png" in check.detail


class Answering:
    """A model of an answer that is given."""

    def __init__(self, answer):
        self._answer = answer

    def __call__(self, frame):
        return Result(frame.header, self._answer.get("detections", Detections()), "m", "1", **self._rest())

    def _rest(self):
        return {key: value for key, value in self._answer.items() if key != "detections"}


def keypoints(shift=0.0, count=2):
    boxes = np.array([[10, 10, 110, 210], [200, 50, 260, 180]], np.float32)[:count]
    points = np.repeat(boxes[:, None, :2], 5, axis=1) + np.arange(5)[None, :, None] * 10 + shift
    found = np.concatenate([points, np.full((count, 5, 1), 0.9)], axis=2).astype(np.float32)
    names = tuple("abcde")
    ids, scores = np.zeros(count, np.int32), np.full(count, 0.8, np.float32)
    return {"detections": Detections(boxes, scores, ids, ("person",), found, names)}


def mask(rows):
    area = np.zeros((48, 64), np.uint8)
    area[rows:] = 2
    return {"segmentation": Segmentation(area, ("road", "car", "sky"))}


def one_class(number):
    scores, order = np.array([0.9, 0.1], np.float32), np.array([number, 1 - number], np.int32)
    return {"classification": Classification(scores, order, ("cat", "dog"))}


@pytest.mark.parametrize(
    ("recorded", "same", "other"),
    [
        pytest.param(keypoints(), keypoints(shift=2.0), keypoints(shift=90.0), id="keypoints"),
        pytest.param(keypoints(), keypoints(), keypoints(count=1), id="an object less"),
        pytest.param(mask(20), mask(21), mask(40), id="segmentation"),
        pytest.param(one_class(0), one_class(0), one_class(1), id="classification"),
        pytest.param(one_class(0), one_class(0), keypoints(), id="another task"),
        pytest.param(keypoints(), keypoints(), {"detections": Detections()}, id="nothing"),
    ],
)
def test_answers_of_every_task_survive_the_file(monkeypatch, colours, tmp_path, recorded, same, other):
    """What is written is read back as it was, and a little off passes where much does not."""
    monkeypatch.setattr(golden, "_as_its_card_says", Answering)
    golden.record(Recording(recorded), colours[:1], tmp_path / "golden")
    for answer, passed in ((recorded, True), (same, True), (other, False)):
        check = golden.check(Recording(answer), tmp_path / "golden")
        assert check.passed == passed, check


class Card:
    name, version = "m", "1"


class Recording(dict):
    card = Card


def test_nothing_to_see_proves_nothing(model, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((480, 640, 3), 114, np.uint8))
    with pytest.raises(EdgeAIError, match="nothing found in 1 pictures"):
        golden.record(model, [tmp_path / "grey.png"], tmp_path / "golden")


def test_a_picture_that_is_none(model, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"torn\.png"):
        golden.record(model, [tmp_path / "torn.png"], tmp_path / "golden")


def test_nan_is_no_answer(load, colours, tmp_path):
    golden.record(load(make(tmp_path / "one")), colours, tmp_path / "golden")
    with pytest.raises(InferenceError, match="NaN"):
        golden.check(load(make(tmp_path / "two", does="nan")), tmp_path / "golden")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values["answers"][0].update(picture="../000.png"), r"\.\./000\.png"),
        (lambda values: values["answers"][0].update(picture="none.png"), r"none\.png"),
        (lambda values: values["answers"][0].update(more=1), "1 values that do not fit"),
        (lambda values: values["answers"][0].update(boxes=[[0, 0, 1, 1]], best=None), "other numbers of each"),
        (lambda values: values.pop("answers"), "1 values that do not fit"),
    ],
)
def test_a_folder_that_is_not_as_it_was_recorded(load, colours, tmp_path, change, words):
    model = load(make(tmp_path / "one"))
    golden.record(model, colours, tmp_path / "golden")
    path = tmp_path / "golden" / golden.GOLDEN
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match=words):
        golden.check(model, tmp_path / "golden")


def test_no_folder(model, tmp_path):
    with pytest.raises(ArtifactError, match="record them again"):
        golden.check(model, tmp_path / "none")
