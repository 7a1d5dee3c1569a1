"""What counts against a new model, and what does not."""

from types import SimpleNamespace

import numpy as np
import pytest
from swap_models import make, picture

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import ImageError, InferenceError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.guard import Guarded
from edge_ai.runtime.swap.likeness import Likeness
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.probation import Probation

SWAP = SwapParams(probation=10.0, probation_frames=30, agreement=0.7, deadline=5.0)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def probation(clock):
    return Probation(SWAP, 0.02, clock)


def test_time_and_frames_make_a_model_confirmed(probation, clock):
    probation.answered(15, 0.01)
    clock.advance(20.0)
    assert probation.progress == 0.5
    probation.answered(15, 0.01)
    assert (probation.progress, probation.fault) == (1.0, "")


def test_one_frame_that_the_model_before_can_answer_is_one_too_many(probation, clock):
    probation.failed(1, InferenceError("an inference", got="NaN"))
    assert (
        "failed on 1 frames that the model before can answer, allowed are 0: an inference: got NaN" in probation.fault
    )
    patient = Probation(SWAP.changed(probation_errors=1), 0.02, clock)
    patient.failed(1, InferenceError("an inference", got="NaN"))
    assert patient.fault == ""


@pytest.mark.parametrize(
    ("own", "before", "slow"),
    [
        pytest.param(0.019, None, False, id="within the budget"),
        pytest.param(0.03, None, True, id="beyond it"),
        pytest.param(0.03, 0.015, True, id="beyond it, while the model before is quick"),
        pytest.param(0.03, 0.028, False, id="beyond it, as the model before is now"),
    ],
)
def test_latency(probation, own, before, slow):
    for _ in range(25):
        probation.answered(1, own)
        if before is not None:
            probation.compared(Likeness(1.0, 1.0), before)
    assert bool(probation.fault) == slow
    assert not slow or "it takes 30.0 ms a frame" in probation.fault


def test_a_few_slow_frames_are_no_reason(probation):
    for number in range(50):
        probation.answered(1, 0.2 if number % 5 == 0 else 0.01)
    assert probation.fault == ""


@pytest.mark.parametrize(
    ("agreed", "count", "drifts"),
    [(0.9, 30, False), (0.5, 30, True), (0.0, 9, False)],
    ids=["agrees", "drifts", "too few to judge"],
)
def test_drift(probation, agreed, count, drifts):
    for _ in range(count):
        probation.compared(Likeness(agreed, 1.0), 0.01)
    assert ("drift" in probation.fault) == drifts


def test_pictures_of_nothing_say_nothing(probation):
    for _ in range(30):
        probation.compared(Likeness(), 0.01)
    assert probation.fault == ""


@pytest.fixture
def models(tmp_path):
    """A new model and the one before."""
    cards = [make(tmp_path / "one"), make(tmp_path / "two", version="2", does="raise", when="marked")]
    loaded = [Model.load(InferenceParams(model=str(card), warm_up=0)) for card in cards]
    yield SimpleNamespace(before=loaded[0], new=loaded[1])
    for model in loaded:
        model.close()


def frame(image):
    return Frame(FrameHeader(0, 0, "", 0, image.shape[1], image.shape[0]), image)


def test_the_model_before_answers_what_the_new_one_cannot(models, probation):
    guarded = Guarded(models.new, models.before, probation)
    request = guarded.request()
    (good,) = guarded.detect([frame(picture("red"))], request)
    (rescued,) = guarded.detect([frame(picture("red", marked=True))], request)
    assert (good.model_version, rescued.model_version) == ("2", "1")
    assert "failed on 1 frames" in probation.fault
    guarded.close()
    guarded.join()


def test_a_frame_that_neither_can_answer_is_no_fault_of_the_new_one(models, probation):
    guarded = Guarded(models.new, models.before, probation)
    with pytest.raises(ImageError):
        guarded.detect([frame(np.zeros((0, 0, 3), np.uint8))], guarded.request())
    assert probation.fault == ""
    guarded.close()
