"""Models are switched under load: each frame is answered once, by the model that its result names."""

import gc
import itertools
import threading
import weakref
from collections import Counter

import numpy as np
import pytest

from edge_ai.batching.policy import FixedPolicy
from edge_ai.core.clock import SystemClock
from edge_ai.core.errors import BackendError
from edge_ai.routing.params import RouterParams
from edge_ai.routing.side import Outcome
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline
from edge_ai.runtime.routed import RoutedPipeline
from edge_ai.runtime.switchable import SwitchableModel

THRESHOLD = 0.2


def load(card="", **changes):
    return Model.load(InferenceParams(model=str(card), score_threshold=THRESHOLD, **changes))


@pytest.fixture(scope="module")
def models(int8_card, small_card):
    loaded = [load(), load(int8_card), load(small_card)]
    yield loaded
    for model in loaded:
        model.close()


@pytest.fixture(scope="module")
def open_models(open_card, open_int8_card):
    loaded = [load(open_card, max_batch=4), load(open_int8_card, max_batch=4)]
    yield loaded
    for model in loaded:
        model.close()


class Switcher:
    """Switches among models all the time, on a thread of its own."""

    def __init__(self, switchable, models, period=0.015):
        self.switches, self._end = 0, threading.Event()
        self._switchable, self._models, self._period = switchable, models, period
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        for model in itertools.cycle(self._models):
            if self._end.wait(self._period):
                return
            self._switchable.switch(model)
            self.switches += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


class Collector:
    def __init__(self):
        self.results, self.errors, self.dropped = [], [], []
        self._changed = threading.Condition()

    def result(self, result, frame):
        self._add(self.results, (result, frame))

    def error(self, frame, error):
        self._add(self.errors, (frame, error))

    def drop(self, frame):
        self._add(self.dropped, frame)

    def _add(self, where, what):
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def wait(self, condition):
        with self._changed:
            assert self._changed.wait_for(condition, 60)

    @property
    def versions(self):
        return Counter(result.model_version for result, _ in self.results)


class Counted(SwitchableModel):
    """Remembers of every frame that it was answered, before anybody puts answers in order."""

    def __init__(self, model):
        super().__init__(model)
        self.answered = Counter()

    def detect(self, frames, request):
        results = super().detect(frames, request)
        self.answered.update((frame.camera, frame.header.index) for frame in frames)
        return results


def check_answers(seen, models, frame):
    """Every result holds what the model it names says of that picture alone."""
    alone = {model.card.version: model(frame).detections for model in models}
    assert len({len(one) for one in alone.values()}) > 1 or len(alone) == 2, "models that can be told apart"
    for result, _ in seen.results:
        wanted = alone[result.model_version]
        assert result.detections.class_ids.tolist() == wanted.class_ids.tolist()
        assert result.detections.scores == pytest.approx(wanted.scores, abs=1e-3)
        assert result.detections.boxes == pytest.approx(wanted.boxes, abs=0.5)


@pytest.mark.parametrize("workers", [1, 3])
def test_no_frame_is_lost_and_none_answered_twice(models, make_frame, people, workers):
    """With several workers one that was quicker may overtake an older frame, as without switching; that is counted."""
    seen, switchable, count = Collector(), Counted(models[0]), 60
    pipeline = Pipeline(switchable, seen.result, seen.error, workers=workers, on_dropped=seen.drop)
    pipeline.start()
    with Switcher(switchable, models) as switcher:
        for i in range(count):
            pipeline.submit(make_frame(i, people), patience=30)
        seen.wait(lambda: len(seen.results) + pipeline.counts.overtaken == count)
    pipeline.stop()
    assert not seen.errors
    assert not seen.dropped
    assert switchable.answered == Counter(("", i) for i in range(count))
    indices = [result.header.index for result, _ in seen.results]
    assert indices == sorted(set(indices))
    assert workers > 1 or indices == list(range(count))
    assert all(result.header is frame.header for result, frame in seen.results)
    assert switcher.switches > 5
    assert set(seen.versions) == {model.card.version for model in models}
    check_answers(seen, models, make_frame(0, people))


@pytest.mark.parametrize("single", [False, True], ids=["batches", "one variant takes single images"])
def test_batches_are_answered_whole(open_models, models, make_frame, people, single):
    chosen = [open_models[0], models[1]] if single else open_models
    seen, switchable, rounds = Collector(), Counted(chosen[0]), 10
    pipeline = Pipeline(switchable, seen.result, seen.error, workers=2, policy=FixedPolicy(4, 0.01))
    pipeline.start()
    cameras = ("front", "left", "rear", "right")
    with Switcher(switchable, chosen):
        for i in range(rounds):
            for camera in cameras:
                pipeline.submit(make_frame(i, people, camera), patience=30)
        seen.wait(lambda: len(seen.results) + pipeline.counts.overtaken == rounds * 4)
    pipeline.stop()
    assert not seen.errors
    assert switchable.answered == Counter(itertools.product(cameras, range(rounds)))
    for camera in cameras:
        indices = [result.header.index for result, frame in seen.results if frame.camera == camera]
        assert indices == sorted(set(indices))
    assert len(seen.versions) == 2
    check_answers(seen, chosen, make_frame(0, people))


class FarServer:
    """A server that is asked and never answers in time."""

    name, unready = "grpc://server:1", ""

    def open(self):
        pass

    def ping(self, done):
        done(0.001)

    def adjust(self, params):
        pass

    def configure(self, **how):
        pass

    def expected_bytes(self, frame):
        return 1000.0

    def ask(self, frame, deadline_ns, done):
        self.done = done
        return self

    def cancel(self):
        self.done(Outcome(dropped=True))

    def close(self):
        pass


@pytest.mark.parametrize("override", ["edge", "auto"])
def test_behind_the_router_every_frame_ends_once(models, make_frame, people, override):
    """Two cameras, each with one frame under way, so that none is replaced by a newer one."""
    seen, switchable, count = Collector(), Counted(models[0]), 20
    # Rules, which know no load: a busy machine is not to send the frames to this server.
    params = RouterParams(policy="rules", override=override, deadline=30.0, min_confidence=0.0)
    routed = RoutedPipeline(switchable, FarServer(), params, SystemClock(), seen.result, seen.error, workers=2)
    routed.start()
    with Switcher(switchable, models):
        for i in range(count):
            routed.submit(make_frame(i, people, "front"))
            routed.submit(make_frame(i, people, "rear"))
            seen.wait(lambda i=i: len(seen.results) == 2 * (i + 1))
    routed.stop()
    assert not seen.errors
    assert switchable.answered == Counter(itertools.product(("front", "rear"), range(count)))
    for camera in ("front", "rear"):
        assert [r.header.index for r, frame in seen.results if frame.camera == camera] == list(range(count))
    assert len(seen.versions) == 3
    check_answers(seen, models, make_frame(0, people))


def test_a_model_is_closed_after_its_last_inference(models, make_frame, people):
    first = load()
    switchable = SwitchableModel(first)
    begun, go_on = threading.Event(), threading.Event()
    real = first.backend.infer

    def held(feeds):
        begun.set()
        assert go_on.wait(30)
        return real(feeds)

    first.backend.infer = held
    answers = []
    worker = threading.Thread(target=lambda: answers.append(switchable(make_frame(0, people))))
    worker.start()
    assert begun.wait(30)
    with pytest.raises(BackendError, match="it serves"):
        switchable.retire(first)
    assert switchable.switch(models[1]) is first
    retiring = threading.Thread(target=switchable.retire, args=(first,))
    retiring.start()
    assert switchable(make_frame(1, people)).model_version == models[1].card.version, "meanwhile the new one answers"
    assert first.backend.active
    assert retiring.is_alive()
    go_on.set()
    worker.join()
    retiring.join()
    assert answers[0].model_version == first.card.version
    assert not first.backend.active


def test_a_model_that_is_gone_leaves_no_buffers_behind(models, make_frame):
    switchable = SwitchableModel(models[0])
    request = switchable.request()
    other = load()
    gone = weakref.ref(other)
    switchable.switch(other)
    switchable.detect([make_frame()], request)
    switchable.retire(switchable.switch(models[0]))
    del other
    gc.collect()
    assert gone() is None


def test_what_serves_says_what_it_is(models):
    switchable = SwitchableModel(models[0])
    assert switchable.card is models[0].card
    switchable.switch(models[1])
    assert switchable.serving is models[1]
    assert (switchable.card, switchable.backend) == (models[1].card, models[1].backend)
    assert "no open batch dimension" in switchable.single


def test_answers_of_the_variants_make_sense(models, make_frame, people):
    """Boxes of people as the model itself sees them, in the same places."""
    for variant in models[1:]:
        before, after = models[0](make_frame(0, people)).detections, variant(make_frame(0, people)).detections
        sure = before.boxes[(before.scores > 0.6) & (before.class_ids == 0)]
        assert len(sure) >= 2
        found = sum(max(_overlap(box, other) for other in after.boxes) > 0.5 for box in sure)
        assert found >= 0.6 * len(sure), f"{variant.card.version}: {found} of {len(sure)}"


def _overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = np.prod(np.clip(high - low, 0, None))
    return common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


def test_who_retires_a_model_need_not_wait_for_an_inference_that_does_not_end():
    first, second = load(), load()
    switchable = SwitchableModel(first)
    try:
        with switchable.lease():
            switchable.switch(second)
            assert not switchable.retire(first, timeout=0.05)
            assert first.backend.inputs, "it is open"
        assert switchable.retire(first, timeout=5)
    finally:
        second.close()
