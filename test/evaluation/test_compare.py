"""Before, after, and the loss."""

import sys

import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.evaluation import LabelError, compare, load_coco, score, truth_from
from edge_ai.evaluation.truth import Labelled, Picture, Truth

LABELS = ("cat", "dog")


def truth(classes):
    pictures = tuple(Picture(i, "", 640, 480) for i in range(len(classes)))
    return Truth("classification", LABELS, pictures, {i: Labelled(np.array([c])) for i, c in enumerate(classes)})


def answers(make, classes):
    return {i: make.classified(i, [0.9], [c], LABELS) for i, c in enumerate(classes)}


RIGHT = [0, 1] * 50
BEFORE = RIGHT[:90] + [1 - c for c in RIGHT[90:]]
AFTER = RIGHT[:86] + [1 - c for c in RIGHT[86:]]


def test_the_figures_and_their_intervals(make):
    found = compare(truth(RIGHT), answers(make, BEFORE), answers(make, AFTER))
    assert found.metric == "top-1"
    assert (found.before.value, found.after.value) == (0.9, 0.86)
    assert found.loss.value == pytest.approx(0.04)
    assert found.pictures == 100
    assert not found.agreement
    assert [(one.name, one.labelled) for one in found.classes] == [("cat", 50), ("dog", 50)]
    assert [one.loss for one in found.classes] == pytest.approx([0.04, 0.04])
    # Of a share p in n pictures the standard error is sqrt(p (1 - p) / n): 0.030 here.
    assert found.before.low == pytest.approx(0.9 - 1.96 * 0.03, abs=0.015)
    assert found.before.high == pytest.approx(0.9 + 1.96 * 0.03, abs=0.015)


def test_what_both_sides_share_does_not_blur_the_loss(make):
    found = compare(truth(RIGHT), answers(make, BEFORE), answers(make, AFTER))
    # Four of a hundred pictures differ; unpaired the interval would be 0.18 wide.
    assert 0 < found.loss.low < 0.04 < found.loss.high < 0.09
    same = compare(truth(RIGHT), answers(make, BEFORE), answers(make, BEFORE))
    assert (same.loss.value, same.loss.low, same.loss.high) == (0, 0, 0)
    assert same.before.low < same.before.value


def test_the_interval_holds_the_truth_as_often_as_it_says(make):
    """Drawn from a model that is right nine times in ten, 90 % intervals hold that in about 90 % of the sets."""
    random, inside, right = np.random.default_rng(5), 0, [0] * 100
    for _ in range(120):
        said = answers(make, (random.random(100) < 0.1).astype(int).tolist())
        found = compare(truth(right), said, said, rounds=300, confidence=0.9).before
        inside += found.low <= 0.9 <= found.high
    assert 0.8 <= inside / 120 <= 0.98


def test_the_same_seed_gives_the_same_intervals(make):
    sides = answers(make, BEFORE), answers(make, AFTER)
    assert compare(truth(RIGHT), *sides, seed=3) == compare(truth(RIGHT), *sides, seed=3)
    assert len({compare(truth(RIGHT), *sides, rounds=50, seed=seed).before for seed in range(8)}) > 1


def test_a_wider_confidence_has_a_wider_interval(make):
    sides = answers(make, BEFORE), answers(make, AFTER)
    wide, narrow = (compare(truth(RIGHT), *sides, confidence=c).loss for c in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_picture_says_nothing_of_how_sure_it_is(make):
    found = compare(truth([0]), answers(make, [0]), answers(make, [1]))
    assert (found.loss.value, found.loss.low, found.loss.high) == (1, 1, 1)


def test_the_metric_alone(make):
    assert score(truth(RIGHT), answers(make, AFTER)) == 0.86


def test_an_answer_that_is_missing(make):
    said = answers(make, BEFORE)
    del said[7], said[9]
    with pytest.raises(LabelError, match=r"no answer to picture 7 and 1 more.*To mend"):
        compare(truth(RIGHT), answers(make, BEFORE), said)


def test_answers_to_other_pictures_do_no_harm(make):
    said = {**answers(make, BEFORE), 1000: make.classified(1000, [0.9], [0], LABELS)}
    assert score(truth(RIGHT), said) == 0.9


def test_a_picture_of_another_size_than_the_labelled_one(make):
    said = answers(make, BEFORE)
    said[4] = make.segmented(4, np.zeros((10, 20)), LABELS)
    with pytest.raises(LabelError, match="picture 4 of 20x10 pixels; wanted 640x480"):
        score(truth(RIGHT), said)


def test_labels_that_only_say_what_to_ignore(make, label_file):
    pytest.importorskip("pycocotools")
    annotations = [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 1, 9, 9], "iscrowd": 1}]
    labelled = load_coco(label_file(annotations=annotations), LABELS)
    with pytest.raises(LabelError, match="nothing to be found in 2 pictures"):
        score(labelled, {i: make.found(i, [], [], [], LABELS) for i in (1, 3)})


def test_without_pycocotools(make, monkeypatch):
    said = {i: make.found(i, [[1, 1, 50, 50]], [0.9], [0], LABELS) for i in range(3)}
    monkeypatch.setitem(sys.modules, "pycocotools.cocoeval", None)
    with pytest.raises(EdgeAIError, match=r"no usable pycocotools.*'workshop'"):
        score(truth_from(said, "detection"), said)
