import threading

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.spans import profiled, recording, span
from edge_ai.monitoring.profiling.spans import SpanRecorder

MS = 1_000_000


@profiled(name="step")
def step():
    with span("inner", number=1):
        pass


def test_each_thread_has_a_track_with_its_name():
    recorder = SpanRecorder()
    with recorder.running():
        step()
        threads = [threading.Thread(target=step, name=f"worker {i}") for i in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
    assert recording() is None
    assert sorted(track.name for track in recorder.tracks) == ["MainThread", "worker 0", "worker 1", "worker 2"]
    for track in recorder.tracks:
        inner, outer = track.spans
        assert (inner.name, outer.name) == ("inner", "step")
        assert recorder.begun_ns <= outer.begun_ns <= inner.begun_ns <= inner.ended_ns <= outer.ended_ns
        assert outer.ended_ns <= recorder.ended_ns
    assert recorder.lost == 0


def test_the_newest_are_kept_and_the_lost_counted():
    recorder = SpanRecorder(capacity=10)
    with recorder.running():
        for _ in range(8):
            step()
        for number in range(12):
            recorder.journey(number, {"infer": 0.01})
    assert len(recorder.tracks[0].spans) == 10
    assert [journey.begun_ns for journey in recorder.journeys] == list(range(2, 12))
    assert recorder.lost == 6 + 2


def test_a_second_recording_is_refused_and_the_first_goes_on():
    recorder = SpanRecorder()
    with recorder.running():
        with pytest.raises(EdgeAIError, match="already"):
            SpanRecorder().start()
        step()
    assert len(recorder.tracks) == 1


def test_costs_are_without_those_of_spans_within():
    recorder = SpanRecorder()
    recorder.add("leaf", 2 * MS, 5 * MS, {})
    recorder.add("leaf", 5 * MS, 6 * MS, {})
    recorder.add("outer", 1 * MS, 9 * MS, {})
    recorder.add("outer", 9 * MS, 10 * MS, {})
    assert recorder.span_costs() == pytest.approx({"leaf": 0.004, "outer": 0.005})


def test_stages_cost_what_a_frame_spends_in_them():
    recorder = SpanRecorder()
    recorder.journey(0, {"wait": 1.0, "infer": 0.01})
    recorder.journey(0, {"wait": 1.0, "infer": 0.02, "route": 0.004})
    assert recorder.stage_costs() == pytest.approx({"infer": 0.015, "route": 0.002})
    assert SpanRecorder().stage_costs() == {}
