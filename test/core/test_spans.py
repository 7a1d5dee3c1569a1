"""Marks in the code: a block or a function, recorded only while somebody asks for it."""

import threading

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.spans import begin_recording, end_recording, profiled, recording, span


class Sink:
    def __init__(self):
        self.spans = []

    def add(self, name, begun_ns, ended_ns, details):
        self.spans.append((name, ended_ns - begun_ns, dict(details), threading.current_thread().name))

    def journey(self, begun_ns, stages):
        raise AssertionError("nobody has given a frame")


@pytest.fixture(name="sink")
def _sink():
    sink = Sink()
    begin_recording(sink)
    yield sink
    end_recording(sink)


@profiled
def twice(number):
    """Its words."""
    return 2 * number


@profiled(name="fails")
def fail():
    raise ValueError("as it should")


class Tracker:
    @profiled
    def update(self):
        with span("assign", boxes=3):
            return twice(1)


def test_nothing_is_recorded_while_nobody_asks():
    assert recording() is None
    assert twice(3) == 6
    with span("alone"):
        assert Tracker().update() == 2


def test_functions_methods_and_blocks_become_spans_innermost_first(sink):
    assert Tracker().update() == 2
    assert [name for name, *_ in sink.spans] == ["twice", "assign", "Tracker.update"]
    durations = [took for _, took, *_ in sink.spans]
    assert durations == sorted(durations)
    assert sink.spans[1][2] == {"boxes": 3}


def test_what_fails_is_recorded_and_fails_on(sink):
    with pytest.raises(ValueError, match="as it should"):
        fail()
    with pytest.raises(KeyError), span("block"):
        raise KeyError
    assert [name for name, *_ in sink.spans] == ["fails", "block"]


def test_the_thread_that_works_is_the_one_that_records(sink):
    thread = threading.Thread(target=twice, args=(1,), name="worker")
    thread.start()
    thread.join()
    assert sink.spans[0][3] == "worker"


def test_what_is_under_way_when_recording_begins_or_ends_is_left_out():
    sink = Sink()
    with span("before"):
        begin_recording(sink)
    with span("within"):
        pass
    with span("after"):
        end_recording(sink)
    assert [name for name, *_ in sink.spans] == ["within"]
    end_recording(sink)


def test_one_recording_at_a_time(sink):
    with pytest.raises(EdgeAIError, match="already"):
        begin_recording(Sink())
    end_recording(Sink())
    assert recording() is sink


def test_a_marked_function_keeps_its_name_and_words():
    assert twice.__name__ == "twice"
    assert twice.__doc__ == "Its words."


def test_what_returns_before_its_work_is_done_is_refused():
    async def ask():
        pass

    def count():
        yield 1

    async def stream():
        yield 1

    for function in (ask, count, stream):
        with pytest.raises(EdgeAIError, match="coroutine or generator"):
            profiled(function)
