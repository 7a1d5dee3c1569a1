from __future__ import annotations

import numpy as np
import pytest

from edge_ai.evaluation import LabelError
from edge_ai.evaluation.metrics.top1 import Top1
from edge_ai.evaluation.truth import Labelled, Picture, Truth

LABELS = ("crane", "cup", "dog", "crane", "owl", "fox", "hen")
NAMES = ("crane", "cup", "dog", "owl", "fox", "hen")


def truth(*classes):
    pictures = tuple(Picture(i, "", 640, 480) for i in range(len(classes)))
    return Truth(
        "classification", NAMES, pictures, {i: Labelled(np.array(one, np.int32)) for i, one in enumerate(classes)}
    )


def test_shares_of_all_and_of_each_class(make):
    answers = {
        0: make.classified(0, [0.2, 0.7], [1, 2], LABELS),  # dog, not given first
        1: make.classified(1, [0.9], [1], LABELS),  # cup, should be dog
        2: make.classified(2, [0.9], [1], LABELS),  # cup
        3: make.classified(3, [], [], LABELS),  # nothing, should be dog
    }
    records = Top1().records(truth([2], [2], [1], [2]), answers)
    assert records.value() == 0.5
    np.testing.assert_allclose(records.classes(), [np.nan, 1, 1 / 3, np.nan, np.nan, np.nan])
    assert records.labelled.tolist() == [0, 1, 3, 0, 0, 0]
    assert records.extra() == {}
    assert records.rounds(np.array([[3.0, 1, 0, 0], [0, 4, 0, 0]])).tolist() == [0.75, 0]


def test_classes_of_one_name_are_one(make):
    records = Top1().records(truth([0]), {0: make.classified(0, [0.9], [3], LABELS)})
    assert records.value() == 1


def test_any_of_several_is_right(make):
    records = Top1().records(truth([1, 2]), {0: make.classified(0, [0.9], [2], LABELS)})
    assert records.value() == 1


def test_top_5_where_the_answers_go_so_far(make):
    answers = {
        0: make.classified(0, [0.5, 0.4, 0.3, 0.2, 0.1], [1, 2, 4, 5, 6], LABELS),
        1: make.classified(1, [0.5, 0.4, 0.3, 0.2, 0.1, 0.05], [1, 4, 5, 6, 0, 2], LABELS),
    }
    records = Top1().records(truth([5], [2]), answers)
    assert records.value() == 0
    assert records.extra() == {"top-5": 0.5}


def test_the_answer_of_a_detector(make):
    with pytest.raises(LabelError, match=r"without classification.*correct the task"):
        Top1().records(truth([1]), {0: make.found(0, [], [], [], LABELS)})
