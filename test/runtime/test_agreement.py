from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_ai.backends.onnxrt import OnnxRuntimeBackend
from edge_ai.core.errors import EdgeAIError, EngineError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.agreement import (
    FARTHEST,
    MOST_DIFFERENCE,
    OutputAgreement,
    card_feeds,
    difference,
    gate,
    made_pictures,
)
from edge_ai.runtime.model import backend_options
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


@pytest.fixture(scope="module")
def card():
    return ModelCard.load(shipped_card())


@pytest.fixture(scope="module")
def reference(card):
    backend = OnnxRuntimeBackend(backend_options(card, InferenceParams()))
    backend.activate(card.model_path)
    yield backend
    backend.deactivate()


class Spoiled:
    """An engine whose answers are the reference's, changed."""

    def __init__(self, backend, change):
        self._backend, self._change = backend, change

    def infer(self, feeds):
        return {name: self._change(array) for name, array in self._backend.infer(feeds).items()}


def judged(card, reference, precision, change):
    return OutputAgreement(card, precision).judge(Spoiled(reference, change), reference)


def test_the_same_answers_pass(card, reference):
    verdict = judged(card, reference, "fp32", lambda array: array)
    assert verdict.passed
    assert verdict.figures["difference"] == 0
    assert verdict.figures["pictures"] == 8


def test_half_precision_passes_where_it_was_asked_for(card, reference):
    def rounded(array):
        return array.astype(np.float16).astype(np.float32)

    assert judged(card, reference, "fp16", rounded).passed


@pytest.mark.parametrize(
    "change",
    [
        np.zeros_like,
        np.negative,
        lambda array: array / 4,
        lambda array: np.roll(array, 7),
        lambda array: array + np.random.default_rng(1).normal(0, array.std(), array.shape).astype(array.dtype),
    ],
    ids=["zeros", "negated", "quarter", "rolled", "noise"],
)
@pytest.mark.parametrize("precision", list(MOST_DIFFERENCE))
def test_nonsense_is_refused_at_every_precision(card, reference, change, precision):
    verdict = judged(card, reference, precision, change)
    assert not verdict.passed
    assert "answers differ by" in verdict.reason


def test_what_is_no_number_is_refused(card, reference):
    verdict = judged(card, reference, "int8", lambda array: np.where(array == array.max(), np.nan, array))
    assert not verdict.passed
    assert "NaN" in verdict.reason


def test_the_made_pictures_are_always_the_same_and_all_different():
    first, again = list(made_pictures()), list(made_pictures())
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(picture.shape == (480, 640, 3) and picture.dtype == np.uint8 and picture.std() > 10 for picture in first)
    assert not np.array_equal(first[0], first[1])


def test_difference():
    a = np.array([3.0, 4.0])
    assert difference(a, a) == 0
    assert difference(np.zeros(2), a) == 1
    assert difference(-a, a) == 2
    assert difference(np.array([3.3, 4.4]), a) == pytest.approx(0.1)
    assert difference(np.zeros(2), np.zeros(2)) == 0
    assert difference(a, np.zeros(2)) == difference(a, a[:1]) == FARTHEST


def test_pictures_of_a_folder(card, tmp_path):
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / name), next(made_pictures()))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    assert [feeds[card.input.name].shape for feeds in card_feeds(card, str(tmp_path))] == [card.input.shape] * 2


def test_a_folder_without_pictures_is_refused(card, tmp_path):
    with pytest.raises(EngineError, match="no picture"):
        list(card_feeds(card, str(tmp_path)))


def test_a_gate_that_is_not_there(card):
    assert gate("agreement", card, "fp16", "").name == "agreement"
    with pytest.raises(EdgeAIError, match="agreement"):
        gate("trust_me", card, "fp16", "")
