"""Average precision by keypoints beside pycocotools' own."""

import json

import numpy as np
import pytest

from edge_ai.evaluation import LabelError, load_coco
from edge_ai.evaluation.metrics.keypoint_precision import KeypointPrecision

LABELS = ("cat", "person", "dog", "cup")
CATEGORIES = {"person": 1, "dog": 2, "cup": 3}
SIDES = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
BODY = ["nose", *(f"{side}_{part}" for part in SIDES for side in ("left", "right"))]

pytest.importorskip("pycocotools")


@pytest.fixture
def case(scene, tmp_path):
    dataset, answers = scene(keypoints=17)
    for category in dataset["categories"]:
        category["keypoints"] = BODY
    for answer in answers.values():
        object.__setattr__(answer.detections, "keypoint_names", tuple(BODY))
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(dataset))
    return dataset, answers, load_coco(path, LABELS, task="keypoints")


def test_all_pictures_as_pycocotools_has_it(case, make):
    dataset, answers, truth = case
    stats = make.official(dataset, make.as_results(answers, CATEGORIES), "keypoints")
    records = KeypointPrecision().records(truth, answers)
    assert 0.1 < stats[0] < 0.9
    assert records.value() == pytest.approx(stats[0], abs=1e-9)
    assert records.extra() == {"OKS AP50": pytest.approx(stats[1], abs=1e-9)}


def test_a_round_is_what_pycocotools_says_of_copies_of_the_pictures(case, copied, make):
    dataset, answers, truth = case
    counts = np.random.default_rng(4).multinomial(len(answers), np.full(len(answers), 1 / len(answers)))
    again, results = copied(dataset, answers, counts)
    wanted = make.official(again, make.as_results(results, CATEGORIES), "keypoints")[0]
    records = KeypointPrecision().records(truth, answers)
    assert records.rounds(counts[np.newaxis].astype(float))[0] == pytest.approx(wanted, abs=1e-9)


def test_keypoints_are_matched_by_name(case):
    _, answers, truth = case
    value = KeypointPrecision().records(truth, answers).value()
    for answer in answers.values():
        detections = answer.detections
        object.__setattr__(detections, "keypoints", detections.keypoints[:, ::-1])
        object.__setattr__(detections, "keypoint_names", tuple(BODY[::-1]))
    assert KeypointPrecision().records(truth, answers).value() == pytest.approx(value, abs=1e-12)


def test_a_model_that_lacks_a_keypoint_of_the_labels(case):
    _, answers, truth = case
    for answer in answers.values():
        object.__setattr__(answer.detections, "keypoint_names", ("chin", *BODY[1:]))
    with pytest.raises(LabelError, match="'nose'"):
        KeypointPrecision().records(truth, answers)


def test_a_model_without_keypoints(case):
    _, answers, truth = case
    for answer in answers.values():
        object.__setattr__(answer.detections, "keypoints", None)
    with pytest.raises(LabelError, match=r"without keypoints.*correct the task"):
        KeypointPrecision().records(truth, answers)
