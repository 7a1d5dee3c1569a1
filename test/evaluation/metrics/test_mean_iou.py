from __future__ import annotations

import numpy as np
import pytest

from edge_ai.evaluation import LabelError
from edge_ai.evaluation.metrics.mean_iou import MeanIou
from edge_ai.evaluation.truth import IGNORED, Labelled, Picture, Truth

NAMES = ("background", "person", "dog")


def truth(*masks):
    masks = [np.array(mask, np.uint8) for mask in masks]
    pictures = tuple(Picture(i, "", *mask.shape[::-1]) for i, mask in enumerate(masks))
    return Truth("segmentation", NAMES, pictures, {i: Labelled(mask=lambda m=mask: m) for i, mask in enumerate(masks)})


def by_hand(pairs, number):
    """Intersection over union of one class, pixel by pixel."""
    both = either = right = 0
    for is_right, said in pairs:
        for a, b in zip(np.ravel(is_right), np.ravel(said), strict=True):
            if a == IGNORED:
                continue
            both += a == number and b == number
            either += a == number or b == number
            right += a == number
    return both / either if right else None


def test_overlaps_as_counted_pixel_by_pixel(make):
    random = np.random.default_rng(2)
    right = [random.choice([0, 1, IGNORED], (6, 9)).astype(np.uint8) for _ in range(4)]
    said = [random.integers(0, 3, (6, 9)).astype(np.uint8) for _ in range(4)]
    records = MeanIou().records(truth(*right), {i: make.segmented(i, mask, NAMES) for i, mask in enumerate(said)})
    pairs = list(zip(right, said, strict=True))
    person, background = by_hand(pairs, 1), by_hand(pairs, 0)
    np.testing.assert_allclose(records.classes(), [background, person, np.nan])
    assert records.value() == pytest.approx((person + background) / 2)
    assert records.labelled.tolist() == [4, 4, 0]
    chosen = [pairs[0], pairs[0], pairs[3]]
    wanted = (by_hand(chosen, 0) + by_hand(chosen, 1)) / 2
    assert records.rounds(np.array([[2.0, 0, 0, 1]]))[0] == pytest.approx(wanted)


def test_a_model_that_numbers_its_classes_otherwise(make):
    mask = np.array([[0, 1], [1, 2]], np.uint8)
    labels = ("dog", "cat", "background", "person")
    answer = make.segmented(0, np.array([2, 3, 0], np.uint8)[mask], labels)
    records = MeanIou().records(truth(mask), {0: answer})
    assert records.value() == 1
    assert records.extra() == {"pixel accuracy": 1}


def test_a_class_that_is_not_judged_is_a_miss(make):
    records = MeanIou().records(truth([[1, 1]]), {0: make.segmented(0, [[3, 1]], (*NAMES, "cat"))})
    assert records.value() == 0.5


def test_a_mask_of_another_size(make):
    with pytest.raises(LabelError, match="mask of"):
        MeanIou().records(truth([[1, 1]]), {0: make.segmented(0, [[1]], NAMES)})


def test_the_answer_of_a_detector(make):
    with pytest.raises(LabelError, match="without segmentation"):
        MeanIou().records(truth([[1, 1]]), {0: make.found(0, [], [], [], NAMES)})
