"""The robot's engine as a side: a real pipeline over the shipped model."""

import threading

import numpy as np
import pytest

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.runtime.edge_side import EdgeSide
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline

CLOCK = SystemClock()


class Outcomes:
    def __init__(self):
        self.changed = threading.Condition()
        self.all = {}

    def of(self, key):
        def done(outcome):
            with self.changed:
                assert key not in self.all, "told twice"
                self.all[key] = outcome
                self.changed.notify_all()

        return done

    def wait(self, *keys):
        with self.changed:
            assert self.changed.wait_for(lambda: all(key in self.all for key in keys), 30)
        return [self.all[key] for key in keys]


def frame(index, image=None):
    now = CLOCK.steady_ns()
    return Frame(FrameHeader(now, now, "f", index, 64, 48), np.zeros((48, 64, 3), np.uint8) if image is None else image)


@pytest.fixture(scope="module")
def model():
    one = Model.load(InferenceParams(warm_up=1))
    yield one
    one.close()


@pytest.fixture
def side(model):
    def submit(source):
        pipeline.submit(source)

    one = EdgeSide(submit)
    pipeline = Pipeline(model, one.answered, one.failed, on_dropped=one.dropped)
    pipeline.start()
    yield one
    pipeline.stop()


def test_every_frame_ends_once_with_an_answer_or_dropped_for_a_newer_one(side):
    outcomes, deadline = Outcomes(), CLOCK.steady_ns() + 60 * NS
    frames = [frame(i) for i in range(20)]
    for one in frames:
        side.ask(one, deadline, outcomes.of(one.header.index))
    ended = outcomes.wait(*range(20))
    answered = [o.result.header for o in ended if o.result is not None]
    assert answered[-1] == frames[-1].header
    assert all((o.result is not None) ^ o.dropped for o in ended)
    assert len(side._asked) == 0


def test_an_image_that_cannot_be_read_is_an_error_of_its_own_frame(side):
    outcomes, deadline = Outcomes(), CLOCK.steady_ns() + 60 * NS
    side.ask(frame(0, np.zeros((0, 0, 3), np.uint8)), deadline, outcomes.of("torn"))
    (torn,) = outcomes.wait("torn")
    assert isinstance(torn.error, ImageError)
    side.ask(frame(1), deadline, outcomes.of("good"))
    assert outcomes.wait("good")[0].result is not None


def test_nobody_is_told_of_a_frame_that_was_given_up(side):
    outcomes, deadline = Outcomes(), CLOCK.steady_ns() + 60 * NS
    side.ask(frame(0), deadline, outcomes.of("given up")).cancel()
    side.ask(frame(1), deadline, outcomes.of("next"))
    outcomes.wait("next")
    assert list(outcomes.all) == ["next"]


def test_an_engine_that_takes_no_frame_is_an_error():
    def submit(_):
        raise RuntimeError("closed")

    outcomes, side = Outcomes(), EdgeSide(submit)
    side.ask(frame(0), 0, outcomes.of("it"))
    assert "closed" in str(outcomes.all["it"].error)
