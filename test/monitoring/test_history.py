import threading

import numpy as np
import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.history import History
from edge_ai.monitoring.readings import Sample


class Kept:
    def __init__(self, samples):
        self.clock = ManualClock()
        self.history = History(samples)

    def add(self, seconds=1.0, **readings):
        self.history.add(Sample(self.clock.stamp_ns(), self.clock.steady_ns(), readings))
        self.clock.advance(seconds)


def column(span, name):
    return span.values[:, span.names.index(name)].tolist()


def test_the_last_while_comes_oldest_first_and_the_rest_is_forgotten():
    kept = Kept(5)
    for number in range(8):
        kept.add(cpu=number)
    span = kept.history.last()
    assert column(span, "cpu") == [3, 4, 5, 6, 7]
    assert span.seconds == pytest.approx(4)
    assert column(kept.history.last(2), "cpu") == [5, 6, 7]


def test_nothing_was_kept_yet():
    span = History(5).last(10)
    assert (span.names, span.values.shape, span.seconds) == ((), (0, 0), 0)


def test_what_could_not_be_read_is_nan():
    kept = Kept(4)
    kept.add(cpu=1)
    kept.add(gpu=2)
    kept.add(cpu=3, gpu=4)
    span = kept.history.last()
    np.testing.assert_array_equal(column(span, "cpu"), [1, np.nan, 3])
    np.testing.assert_array_equal(column(span, "gpu"), [np.nan, 2, 4])


def test_a_metric_that_fell_silent_does_not_come_back_from_an_earlier_round():
    kept = Kept(3)
    kept.add(cpu=1, gpu=1)
    for _ in range(4):
        kept.add(cpu=2)
    assert np.isnan(column(kept.history.last(), "gpu")).all()


def test_memory_is_bounded_and_names_that_are_gone_make_room():
    kept = Kept(3)
    kept.add(**{f"node{number}/rate": 1.0 for number in range(600)})
    assert len(kept.history.last().names) == 512
    for _ in range(3):
        kept.add(cpu=1)
    kept.add(cpu=1, gpu=2, disk=3)
    span = kept.history.last()
    assert len(span.names) == 512
    assert column(span, "disk")[-1] == 3


def test_it_can_be_asked_while_it_is_written():
    kept, end, wrong = Kept(50), threading.Event(), []

    def ask():
        while not end.is_set():
            span = kept.history.last()
            if span.names and (np.diff(column(span, "cpu")) != 1).any():
                wrong.append(span)

    thread = threading.Thread(target=ask)
    thread.start()
    for number in range(2000):
        kept.add(cpu=number)
    end.set()
    thread.join()
    assert not wrong
