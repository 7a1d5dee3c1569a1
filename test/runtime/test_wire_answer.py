import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import CloudAnswerError
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.wire_answer import read_detections

CARD = ModelCard.load(shipped_card())
SIZE = (640, 480)


def outputs(boxes=((1, 2, 30, 40), (5, 6, 640, 480)), scores=(0.9, 0.5), class_ids=(0, 79), axes=0):
    arrays = {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "scores": np.array(scores, np.float32),
        "class_ids": np.array(class_ids, np.int32),
    }
    return {name: array.reshape((1,) * axes + array.shape) for name, array in arrays.items()}


@pytest.mark.parametrize("axes", [0, 1, 2])
def test_what_a_server_found(axes):
    found = read_detections(outputs(axes=axes), CARD, SIZE, 0.45)
    assert found.boxes.tolist() == [[1, 2, 30, 40], [5, 6, 640, 480]]
    assert found.name(1) == "toothbrush"
    found.boxes[0, 0] = 3  # memory of its own, as that of this robot's engine


@pytest.mark.parametrize("axes", [0, 1])
def test_nothing_found(axes):
    assert len(read_detections(outputs((), (), (), axes=axes), CARD, SIZE, 0.45)) == 0


def test_the_robot_reports_what_it_wants():
    assert read_detections(outputs(), CARD, SIZE, 0.6).scores.tolist() == [pytest.approx(0.9)]
    assert read_detections(outputs(), CARD, SIZE, 0.0, {79}).class_ids.tolist() == [79]


def test_rounding_does_not_make_an_answer_wrong():
    found = read_detections(outputs([(-0.001, 0, 640.004, 480)], [1.0], [0]), CARD, SIZE, 0.0)
    assert found.boxes.tolist() == [[0, 0, 640, 480]]


def test_boxes_without_area_are_left_out():
    assert len(read_detections(outputs([(5, 5, 5, 9)], [0.9], [0]), CARD, SIZE, 0.0)) == 0


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"boxes": [(NAN, 2, 3, 4), (1, 2, 3, 4)]}, "finite"),
        ({"boxes": [(1, 2, INF, 4), (1, 2, 3, 4)]}, "finite"),
        ({"boxes": [(1, 2, 641, 4), (1, 2, 3, 4)]}, "outside"),
        ({"boxes": [(-1, 2, 3, 4), (1, 2, 3, 4)]}, "outside"),
        ({"boxes": [(3, 2, 1, 4), (1, 2, 3, 4)]}, "swapped"),
        ({"scores": [NAN, 0.5]}, "score"),
        ({"scores": [1.5, 0.5]}, "score"),
        ({"scores": [0.5, -0.1]}, "score"),
        ({"scores": [0.5, 0.9]}, "order"),
        ({"class_ids": [0, 80]}, "class number"),
        ({"class_ids": [-1, 0]}, "class number"),
        ({"scores": [0.5]}, "as many"),
        ({"class_ids": [0, 1, 2]}, "as many"),
    ],
)
def test_nonsense_is_refused(changes, words):
    with pytest.raises(CloudAnswerError, match=words):
        read_detections(outputs(**changes), CARD, SIZE, 0.45)


def test_other_shapes_and_types_are_refused():
    for name, array in (
        ("boxes", np.zeros((2, 5), np.float32)),
        ("boxes", np.zeros((2, 2, 4), np.float32)),
        ("boxes", np.zeros(4, np.float32)),
        ("scores", np.zeros(2, np.float64)),
        ("scores", np.array(0.5, np.float32)),
        ("class_ids", np.zeros(2, np.int64)),
    ):
        with pytest.raises(CloudAnswerError, match=name):
            read_detections(outputs() | {name: array}, CARD, SIZE, 0.45)
    with pytest.raises(CloudAnswerError, match="boxes"):
        read_detections({"scores": np.zeros(2, np.float32)}, CARD, SIZE, 0.45)


FLOATS = st.floats(width=32)


@given(st.data(), st.integers(0, 4))
def test_whatever_comes_is_sound_or_refused(data, n):
    arrays = {
        "boxes": data.draw(hnp.arrays(np.float32, (n, 4), elements=FLOATS)),
        "scores": data.draw(hnp.arrays(np.float32, (n,), elements=FLOATS)),
        "class_ids": data.draw(hnp.arrays(np.int32, (n,))),
    }
    try:
        found = read_detections(arrays, CARD, SIZE, 0.45)
    except CloudAnswerError:
        return
    assert np.isfinite(found.boxes).all()
    assert ((found.boxes >= 0) & (found.boxes <= [640, 480, 640, 480])).all()
    assert all(found.name(i) in CARD.labels for i in range(len(found)))
