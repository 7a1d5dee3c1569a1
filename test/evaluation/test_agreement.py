"""The original's answers taken as right."""

import numpy as np
import pytest

from edge_ai.evaluation import LabelError, compare, score, truth_from

LABELS = ("cat", "dog", "cat")


@pytest.fixture
def said(make):
    """Six pictures, each with a sure dog, a sure cat and an unsure one."""
    boxes = [[10, 10, 60, 90], [200, 100, 300, 180], [400, 300, 420, 330]]
    return {i: make.found(i, boxes, [0.9, 0.6, 0.1], [1, 2, 0], LABELS) for i in range(6)}


def test_a_model_agrees_with_itself(said):
    pytest.importorskip("pycocotools")
    truth = truth_from(said, "detection", score_threshold=0.3)
    assert truth.agreement
    assert truth.class_names == ("cat", "dog")
    assert truth.labelled[0].class_ids.tolist() == [1, 0]
    found = compare(truth, said, said)
    assert found.agreement
    assert found.before.value == pytest.approx(1)
    assert found.loss.value == 0
    assert [(one.name, one.labelled) for one in found.classes] == [("cat", 6), ("dog", 6)]


def test_what_the_variant_no_longer_finds_is_lost(said, make):
    pytest.importorskip("pycocotools")
    truth = truth_from(said, "detection", score_threshold=0.3)
    blind = {i: make.found(i, [[10, 10, 60, 90]], [0.9], [1], LABELS) for i in range(6)}
    found = compare(truth, said, blind)
    assert found.loss.value == pytest.approx(0.5)
    assert {one.name: one.after for one in found.classes} == {"cat": 0, "dog": pytest.approx(1)}


def test_classes(make):
    said = {i: make.classified(i, [0.7, 0.2], [i % 2, 1 - i % 2], LABELS) for i in range(4)}
    truth = truth_from(said, "classification")
    assert score(truth, said) == 1
    other = {**said, 0: make.classified(0, [0.7], [1], LABELS)}
    assert score(truth, other) == 0.75


def test_masks(make):
    mask = np.random.default_rng(0).integers(0, 3, (20, 30))
    said = {4: make.segmented(4, mask, LABELS)}
    truth = truth_from(said, "segmentation")
    assert truth.class_names == ("cat", "dog")
    assert score(truth, said) == 1
    assert score(truth, {4: make.segmented(4, np.zeros_like(mask), LABELS)}) < 0.4


def test_keypoints_that_the_original_is_sure_of(make):
    pytest.importorskip("pycocotools")
    points = [[[20, 30, 0.9], [40, 50, 0.1]]]
    said = {1: make.found(1, [[10, 10, 60, 90]], [0.9], [1], LABELS, keypoints=points, names=("nose", "tail"))}
    truth = truth_from(said, "keypoints", score_threshold=0.3)
    assert truth.keypoint_names == ("nose", "tail")
    assert truth.labelled[1].keypoints[0, :, 2].tolist() == [2, 0]
    assert score(truth, said) == pytest.approx(1)
    for moved, wanted in (([[[20, 30, 1], [0, 0, 1]]], 1), ([[[60, 80, 1], [40, 50, 1]]], 0)):
        other = make.found(1, [[10, 10, 60, 90]], [0.9], [1], LABELS, keypoints=moved, names=("nose", "tail"))
        assert score(truth, {1: other}) == pytest.approx(wanted)


def test_an_original_that_finds_nothing_says_nothing(make, said):
    with pytest.raises(LabelError, match="no picture"):
        truth_from({}, "detection")
    with pytest.raises(LabelError, match=r"nothing that it finds in any of 6 pictures at a score of 0\.95.*label file"):
        truth_from(said, "detection", score_threshold=0.95)


@pytest.mark.parametrize("task", ["classification", "segmentation", "keypoints"])
def test_answers_of_another_kind(said, task):
    with pytest.raises(LabelError, match="correct the task"):
        truth_from(said, task)
