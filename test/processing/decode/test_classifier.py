"""Classifiers against the definitions of softmax and sigmoid."""

import math

import numpy as np
import pytest

from edge_ai.core.errors import InferenceError

LOGITS = [0.5, 3.0, -1.0, 2.0, 1.0]


@pytest.mark.parametrize("shape", [(1, 5), (1, 5, 1, 1), (1, 1, 1, 5)])
@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("softmax", [math.exp(v) / sum(math.exp(w) for w in LOGITS) for v in LOGITS]),
        ("sigmoid", [1 / (1 + math.exp(-v)) for v in LOGITS]),
    ],
)
@pytest.mark.parametrize(("background", "first"), [("none", 0), ("first", 1), ("last", 0)])
def test_probabilities_of_the_labels_that_reach_the_threshold(decode, shape, activation, expected, background, first):
    labels = 5 - (background != "none")
    scores = np.array(LOGITS, np.float32).reshape(shape)
    options = {"family": "classifier", "activation": activation, "background": background}
    found = decode(options, (8, 8), labels, 0.1, scores=scores)
    wanted = [(i, p) for i, p in enumerate(expected[first : first + labels]) if p >= 0.1]
    assert found.class_ids.tolist() == [i for i, _ in wanted]
    np.testing.assert_allclose(found.scores, [p for _, p in wanted], rtol=1e-5)


def test_probabilities_pass_as_they_are(decode):
    found = decode({"family": "classifier", "top_k": 2}, (8, 8), 3, 0.0, scores=np.array([[0.25, 0.0, 0.75]]))
    assert (found.scores.tolist(), found.class_ids.tolist(), found.most) == ([0.25, 0.0, 0.75], [0, 1, 2], 2)


def test_logits_taken_for_probabilities_are_refused_even_below_the_threshold(decode):
    with pytest.raises(InferenceError, match=r"got scores from -3 to 0.9; .*'activation'"):
        decode({"family": "classifier"}, (8, 8), 2, 0.5, scores=np.array([[-3.0, 0.9]]))
