"""How like two answers are."""

import functools
import operator

import numpy as np
import pytest

from edge_ai.core.types import Classification, Detections, FrameHeader, Result
from edge_ai.runtime.swap.likeness import Likeness, likeness


def found(*objects, labels=("person", "car")):
    boxes = np.array([box for box, _, _ in objects], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in objects], np.float32)
    ids = np.array([labels.index(name) for _, _, name in objects], np.int32)
    return Result(FrameHeader(0, 0, "", 0, 640, 480), Detections(boxes, scores, ids, labels), "m", "1")


def classified(*scores, labels=("cat", "dog", "cow")):
    order = np.argsort(-np.array(scores)).astype(np.int32)
    said = Classification(np.array(scores, np.float32)[order], order, labels)
    return Result(FrameHeader(0, 0, "", 0, 640, 480), Detections(), "m", "1", classification=said)


HERE, THERE, FAR = (0, 0, 100, 100), (10, 0, 110, 100), (300, 0, 400, 100)


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [
        pytest.param([(HERE, 0.8, "car")], [(HERE, 0.8, "car")], 1.0, id="the same"),
        pytest.param([(HERE, 0.8, "car")], [(THERE, 0.6, "car")], 1.0, id="nearly the same place"),
        pytest.param([(HERE, 0.8, "car")], [(FAR, 0.8, "car")], 0.0, id="elsewhere"),
        pytest.param([(HERE, 0.8, "car")], [(HERE, 0.8, "person")], 0.0, id="something else"),
        pytest.param([(HERE, 0.8, "car")], [], 0.0, id="nothing"),
        pytest.param([(HERE, 0.8, "car")], [(HERE, 0.8, "car"), (FAR, 0.8, "car")], 2 / 3, id="twice as much"),
        pytest.param([(HERE, 0.9, "car"), (FAR, 0.1, "car")], [(HERE, 0.9, "car")], 18 / 19, id="less that is unsure"),
        pytest.param([(HERE, 0.8, "car")], [(HERE, 0.8, "car"), (THERE, 0.8, "car")], 2 / 3, id="one object twice"),
    ],
)
def test_objects(one, other, agreement):
    for a, b in ((found(*one), found(*other)), (found(*other), found(*one))):
        assert likeness(a, b).agreement == pytest.approx(agreement, abs=1e-6)


def test_classes_are_known_by_name():
    one = found((HERE, 0.8, "car"))
    assert likeness(one, found((HERE, 0.8, "car"), labels=("car", "person"))).agreement == pytest.approx(1.0)


def test_closeness_falls_with_place_and_score():
    same, moved, unsure = (found((box, score, "car")) for box, score in ((HERE, 0.8), (THERE, 0.8), (HERE, 0.5)))
    assert likeness(same, same).close == pytest.approx(1.0)
    assert likeness(same, moved).close == pytest.approx(90 / 110, abs=1e-3)
    assert likeness(same, unsure).close == pytest.approx(0.7, abs=1e-3)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        pytest.param((0.9, 0.1, 0), (0.8, 0.2, 0), 1.0, 1.0, id="the same best"),
        pytest.param((0.51, 0.49, 0), (0.49, 0.51, 0), 0.9, 1.0, id="a tie"),
        pytest.param((0.9, 0.1, 0), (0.1, 0.9, 0), 0.0, 0.2, id="another best"),
        pytest.param((1.0, 0, 0), (0, 1.0, 0), 0.0, 0.01, id="sure of another"),
    ],
)
def test_classes(one, other, least, most):
    assert least - 1e-6 <= likeness(classified(*one), classified(*other)).agreement <= most + 1e-6


def test_pictures_add_up_and_those_of_nothing_weigh_nothing():
    seen, nothing = found((HERE, 0.8, "car")), found()
    parts = [likeness(seen, seen), likeness(nothing, nothing), likeness(seen, nothing)]
    assert functools.reduce(operator.add, parts, Likeness()).agreement == pytest.approx(2 / 3)
    assert likeness(nothing, nothing) == Likeness()


def test_other_tasks_have_nothing_in_common():
    assert likeness(classified(1, 0, 0), found()) == Likeness(weight=1.0)
