"""Maps of classes: which there are, what they score, and what is no map."""

import math

import numpy as np
import pytest

from edge_ai.core.errors import InferenceError

SIZE = (32, 16)


def logits(classes, seed=4):
    return np.random.default_rng(seed).normal(0, 2, (1, classes, 4, 8)).astype(np.float32)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("activation", ["none", "softmax", "sigmoid"])
def test_maps_of_the_classes_that_win_somewhere(decode, layout, activation):
    values = logits(5)
    values[0, 2] -= 100  # nowhere
    tensor = values if layout == "nchw" else values.transpose(0, 2, 3, 1).copy()
    found = decode({"family": "segmenter", "layout": layout, "activation": activation}, SIZE, 5, 0.0, scores=tensor)
    assert found.class_ids.tolist() == [0, 1, 3, 4]
    assert found.floor == -math.inf
    for y, x in np.ndindex(4, 8):
        column = values[0, :, y, x].tolist()
        if activation == "softmax":
            column = [math.exp(v) / sum(math.exp(w) for w in column) for v in column]
        elif activation == "sigmoid":
            column = [1 / (1 + math.exp(-v)) for v in column]
        np.testing.assert_allclose(found.scores[:, y, x], [column[c] for c in (0, 1, 3, 4)], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("layout", "shape"), [("nchw", (1, 1, 4, 8)), ("nhwc", (1, 4, 8, 1)), ("nchw", (1, 4, 8))])
def test_one_map_is_that_of_the_foreground(decode, layout, shape):
    values = logits(1).reshape(shape)
    found = decode({"family": "segmenter", "layout": layout, "activation": "sigmoid"}, SIZE, 2, 0.5, scores=values)
    assert (found.class_ids.tolist(), found.floor) == ([1], 0.5)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-values.reshape(1, 4, 8))), rtol=1e-5)


def test_class_numbers_become_maps_of_certainty(decode):
    numbers = np.array([[[0, 2, 2], [0, 0, 1]]], np.int64)
    found = decode({"family": "segmenter"}, SIZE, 3, 0.5, classes=numbers)
    assert found.class_ids.tolist() == [0, 1, 2]
    assert found.scores.argmax(axis=0).tolist() == numbers[0].tolist()
    assert set(np.unique(found.scores)) == {0.0, 1.0}


@pytest.mark.parametrize("number", [-1, 3, 0.5])
def test_a_number_without_a_label_is_refused(decode, number):
    numbers = np.zeros((1, 4, 8), np.float32)
    numbers[0, 1, 1] = number
    with pytest.raises(InferenceError, match=r"got .*wanted whole numbers below 3"):
        decode({"family": "segmenter"}, SIZE, 3, 0.5, classes=numbers)


def test_one_map_for_three_classes_is_refused(decode):
    with pytest.raises(InferenceError, match=r"got shape \[1, 1, 4, 8\]; wanted \[1, 3, H, W\]"):
        decode({"family": "segmenter"}, SIZE, 3, 0.5, scores=logits(1))


def test_logits_are_not_held_against_a_threshold(decode):
    with pytest.raises(InferenceError, match="wanted probabilities"):
        decode({"family": "segmenter"}, SIZE, 5, 0.5, scores=logits(5))
    decode({"family": "segmenter"}, SIZE, 5, 0.0, scores=logits(5))
