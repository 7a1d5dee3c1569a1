"""The shipped model on labelled frames of vtest.avi: the figures are known."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from edge_ai.core.types import Result
from edge_ai.evaluation import compare, load_coco, truth_from
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.processing.resize import Preprocessor

pytest.importorskip("pycocotools")
ROOT = Path(__file__).parents[2]
VIDEO = Path(os.environ.get("EDGE_AI_VTEST") or ROOT / "out" / "data" / "vtest.avi")
PEOPLE = ROOT / "test" / "accuracy" / "vtest53_person.json"
CARD = ModelCard.load(ROOT / "models" / "nanodet_g_416.yaml")


@pytest.fixture(scope="module")
def truth():
    return load_coco(PEOPLE, CARD.labels)


@pytest.fixture(scope="module")
def answers(truth, make):
    """What the model says, by least score, and what it says once its outputs are halves."""
    if not VIDEO.is_file():
        pytest.skip(f"no {VIDEO}: name vtest.avi (from Debian's opencv-doc) in EDGE_AI_VTEST, or run the demo once")
    session = onnxruntime.InferenceSession(str(CARD.check_file()), providers=["CPUExecutionProvider"])
    preprocessor, tensor = Preprocessor(CARD.input), np.zeros(CARD.input.shape, CARD.input.dtype)
    posts = {0.45: PostProcessor(CARD), 0.05: PostProcessor(CARD, score_threshold=0.05)}
    wanted, video = {picture.id for picture in truth.pictures}, cv2.VideoCapture(str(VIDEO))
    found, number = {0.45: {}, 0.05: {}, "half": {}}, 0
    while video.grab():
        if number in wanted:
            image = video.retrieve()[1]
            placement = preprocessor.prepare(image, "bgr8", tensor)
            outputs = dict(
                zip(CARD.output_names, session.run(list(CARD.output_names), {"images": tensor}), strict=True)
            )
            halves = {name: array.astype(np.float16).astype(np.float32) for name, array in outputs.items()}
            header = make.header(number, (image.shape[1], image.shape[0]))
            for least, post in posts.items():
                found[least][number] = Result(header, post(outputs, placement), CARD.name, CARD.version)
            found["half"][number] = Result(header, posts[0.05](halves, placement), CARD.name, CARD.version)
        number += 1
    assert set(found["half"]) == wanted, f"{VIDEO} is not the video that was labelled"
    return found


def test_the_known_figures(truth, answers):
    found = compare(truth, answers[0.05], answers[0.45])
    assert found.metric == "AP50-95"
    assert found.pictures == 53
    assert found.before.value == pytest.approx(0.779, abs=0.002)
    assert found.extra["AP50"] == (pytest.approx(0.975, abs=0.002), pytest.approx(0.960, abs=0.002))
    assert found.before.low < found.before.value < found.before.high < found.before.low + 0.06
    assert [(one.name, one.labelled) for one in found.classes] == [("person", 302)]


def test_as_pycocotools_has_it(truth, answers, make):
    stats = make.official(json.loads(PEOPLE.read_text()), make.as_results(answers[0.05], {"person": 1}))
    found = compare(truth, answers[0.05], answers[0.05], rounds=1)
    assert found.before.value == pytest.approx(stats[0], abs=1e-9)
    assert found.extra["AP50"][0] == pytest.approx(stats[1], abs=1e-9)


def test_halves_cost_nothing(truth, answers):
    assert abs(compare(truth, answers[0.05], answers["half"]).loss.value) < 0.002


def test_agreement_is_stricter_than_labels(answers):
    truth = truth_from(answers[0.05], "detection", score_threshold=CARD.score_threshold)
    found = compare(truth, answers[0.05], answers["half"])
    assert found.agreement
    assert found.before.value == pytest.approx(1)
    assert 0 <= found.loss.value < 0.01
    assert "person" in {one.name for one in found.classes}
