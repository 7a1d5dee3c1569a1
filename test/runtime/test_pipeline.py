import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from edge_ai.batching.fair_queue import Share
from edge_ai.core.errors import ImageError
from edge_ai.core.types import PendingFrame
from edge_ai.runtime.pipeline import Pipeline


class Collector:
    def __init__(self):
        self.results, self.errors = [], []
        self.changed = threading.Condition()

    def result(self, result, frame):
        with self.changed:
            self.results.append((result, frame))
            self.changed.notify_all()

    def error(self, frame, error):
        with self.changed:
            self.errors.append((frame, error))
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, 30)


@pytest.fixture
def running(model):
    made = []

    def start(**options):
        seen = Collector()
        pipeline = Pipeline(model, seen.result, seen.error, **options)
        pipeline.start()
        made.append(pipeline)
        return pipeline, seen

    yield start
    for pipeline in made:
        pipeline.stop()


def test_results_belong_to_their_frames(running, make_frame):
    pipeline, seen = running()
    frame = make_frame(index=5)
    pipeline.submit(frame)
    seen.wait(lambda: seen.results)
    result, of = seen.results[0]
    assert result.header is frame.header
    assert of is frame


def test_under_overload_frames_are_dropped_counted_and_never_queue(running, make_frame):
    pipeline, seen = running()
    for i in range(200):
        pipeline.submit(make_frame(i))
        time.sleep(0.002)
    seen.wait(lambda: pipeline.counts.processed + pipeline.counts.dropped >= 200)
    counts = pipeline.counts
    assert counts.dropped > 0
    assert counts.processed == len(seen.results)
    indices = [frame.header.index for _, frame in seen.results]
    assert indices == sorted(set(indices))
    assert indices[-1] == 199, "the newest frame is always processed"


def test_patience_loses_no_frame(running, make_frame):
    pipeline, seen = running()
    for i in range(20):
        pipeline.submit(make_frame(i), patience=10)
    seen.wait(lambda: len(seen.results) == 20)
    assert pipeline.counts.dropped == 0


def test_a_bad_frame_fails_alone(running, make_frame):
    pipeline, seen = running()
    pipeline.submit(make_frame(0, np.zeros((0, 0, 3), np.uint8)))
    seen.wait(lambda: seen.errors)
    assert isinstance(seen.errors[0][1], ImageError)
    pipeline.submit(make_frame(1))
    seen.wait(lambda: seen.results)
    assert (pipeline.counts.failed, pipeline.counts.processed) == (1, 1)


def test_a_receiver_that_raises_does_not_end_the_pipeline(model, make_frame):
    seen, calls = Collector(), []

    def raise_first(result, frame):
        calls.append(result)
        if len(calls) == 1:
            raise RuntimeError("receiver")
        seen.result(result, frame)

    pipeline = Pipeline(model, raise_first, seen.error)
    pipeline.start()
    pipeline.submit(make_frame(0))
    deadline = time.monotonic() + 30
    while not calls and time.monotonic() < deadline:
        time.sleep(0.01)
    pipeline.submit(make_frame(1))
    seen.wait(lambda: seen.results)
    pipeline.stop()


def test_several_workers_keep_the_order(running, make_frame):
    pipeline, seen = running(workers=2)
    for i in range(40):
        pipeline.submit(make_frame(i), patience=10)
    seen.wait(lambda: len(seen.results) + pipeline.counts.overtaken + pipeline.counts.dropped >= 40)
    indices = [frame.header.index for _, frame in seen.results]
    assert indices == sorted(set(indices))


def test_an_engine_that_takes_one_at_a_time_still_serves_several_workers(model, make_frame, monkeypatch, running):
    monkeypatch.setattr(type(model.backend), "concurrent", False)
    pipeline, seen = running(workers=2)
    for i in range(10):
        pipeline.submit(make_frame(i), patience=10)
    seen.wait(lambda: len(seen.results) + pipeline.counts.overtaken == 10)


def test_cameras_share_the_model_and_a_silent_one_costs_the_others_nothing(running, make_frame):
    pipeline, seen = running(shares={"front": Share(weight=1), "rear": Share(weight=1), "silent": Share(priority=9)})
    for i in range(60):
        for camera in ("front", "rear"):
            pipeline.submit(replace(make_frame(i), camera=camera))
        time.sleep(0.002)
    seen.wait(lambda: {frame.header.index for _, frame in seen.results[-2:]} == {59})
    counts = {camera: pipeline.counts_of(camera) for camera in ("front", "rear", "silent")}
    assert abs(counts["front"].processed - counts["rear"].processed) <= 1
    assert counts["silent"].processed == 0
    assert sum(c.processed for c in counts.values()) == pipeline.counts.processed == len(seen.results)
    for camera in ("front", "rear"):
        assert counts[camera].processed + counts[camera].reasons["replaced"] == 60


def test_a_decoded_image_is_of_the_camera_it_was_submitted_for(running, make_frame):
    pipeline, seen = running()
    inner = make_frame()
    pipeline.submit(PendingFrame(inner.header, lambda: inner, "rear"))
    pipeline.submit(PendingFrame(inner.header, lambda: inner))
    seen.wait(lambda: len(seen.results) == 2)
    assert sorted(frame.camera for _, frame in seen.results) == ["", "rear"]
    assert inner.camera == ""


def test_an_image_is_decoded_only_when_its_turn_comes_and_a_broken_one_fails_alone(running, make_frame):
    pipeline, seen = running()
    read = []

    def pending(index):
        frame = make_frame(index)

        def decode():
            read.append(index)
            if index == 99:
                raise ImageError("no picture")
            return frame

        return PendingFrame(replace(frame.header, width=0, height=0), decode)

    for i in range(50):
        pipeline.submit(pending(i))
    seen.wait(lambda: seen.results and seen.results[-1][1].header.index == 49)
    assert len(read) == len(seen.results) < 50
    assert all(result.header is frame.header and frame.header.width for result, frame in seen.results)
    pipeline.submit(pending(99))
    seen.wait(lambda: seen.errors)
    assert isinstance(seen.errors[0][1], ImageError)
    assert seen.errors[0][0].header.index == 99
    assert pipeline.counts.failed == 1
