"""Alarms, on a clock that moves only when told to, and on their own thread."""

import gc
import logging
import threading
import tracemalloc
import weakref

import pytest

from edge_ai.core.clock import NS, ManualClock, SystemClock
from edge_ai.routing.alarms import Alarms

LIMIT = 20  # seconds a test waits at most for what must come at once


@pytest.fixture
def running():
    alarms = Alarms(SystemClock())
    alarms.start()
    yield alarms
    alarms.stop()


def test_they_ring_in_the_order_of_their_times_and_not_before():
    clock, rung = ManualClock(), []
    alarms = Alarms(clock)
    now = clock.steady_ns()
    for name, after in (("c", 3), ("a", 1), ("b", 2), ("b2", 2)):
        alarms.at(now + after * NS, lambda name=name: rung.append(name))
    assert alarms.run_due(now + NS - 1) == 0
    assert alarms.run_due(now + 2 * NS) == 3
    assert (rung, len(alarms)) == (["a", "b", "b2"], 1)
    clock.advance(3)
    assert alarms.run_due(clock.steady_ns()) == 1
    assert rung[-1] == "c"


def test_a_cancelled_alarm_does_not_ring_and_says_whether_it_came_in_time():
    alarms, rung = Alarms(ManualClock()), []
    kept, given_up = alarms.at(1, lambda: rung.append("kept")), alarms.at(1, lambda: rung.append("given up"))
    assert given_up.cancel()
    assert not given_up.cancel()
    assert alarms.run_due(2) == 1
    assert not kept.cancel()
    assert rung == ["kept"]


def test_callbacks_may_set_and_cancel():
    alarms, rung = Alarms(ManualClock()), []
    victim = alarms.at(6, lambda: rung.append("victim"))

    def first():
        rung.append("first")
        assert victim.cancel()
        alarms.at(7, lambda: rung.append("second"))

    alarms.at(5, first)
    assert alarms.run_due(10) == 2
    assert rung == ["first", "second"]


def test_what_a_callback_raises_is_logged_and_stops_nothing(caplog):
    alarms, rung = Alarms(ManualClock()), []
    alarms.at(1, lambda: 1 / 0)
    alarms.at(2, lambda: rung.append(1))
    with caplog.at_level(logging.ERROR):
        assert alarms.run_due(3) == 2
    assert rung == [1]
    assert "ZeroDivisionError" in caplog.text


def test_memory_stays_flat_over_alarms_that_are_set_and_cancelled():
    alarms = Alarms(ManualClock())
    alarms.at(0, lambda: None)  # one that stays, at the head, so that nothing is thrown away for being next

    def rounds(count):
        for number in range(count):
            alarms.at(10 + number, lambda: None).cancel()

    rounds(1000)
    tracemalloc.start()
    try:
        rounds(100_000)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert len(alarms) == 1
    assert alarms.run_due(1) == 1


def test_a_cancelled_alarm_lets_go_of_what_it_would_have_called():
    class Thing:
        def ring(self):
            pass

    alarms, thing = Alarms(ManualClock()), Thing()
    alarm = alarms.at(10, thing.ring)
    gone = weakref.ref(thing)
    del thing
    assert gone() is not None
    alarm.cancel()
    gc.collect()
    assert gone() is None


def test_the_thread_rings_what_is_set_before_and_while_it_waits(running):
    late, soon = threading.Event(), threading.Event()
    now = SystemClock().steady_ns()
    far = running.at(now + 3600 * NS, late.set)
    running.at(now + NS // 50, soon.set)
    assert soon.wait(LIMIT)
    assert SystemClock().steady_ns() >= now + NS // 50
    at_once = threading.Event()
    running.at(now, at_once.set)
    assert at_once.wait(LIMIT)
    assert not late.is_set()
    assert far.cancel()


def test_the_thread_survives_callbacks_that_fail(running, caplog):
    rung = threading.Event()
    running.at(0, lambda: 1 / 0)
    running.at(1, rung.set)
    assert rung.wait(LIMIT)
    assert "an alarm's callback failed" in caplog.text


def test_many_threads_set_and_cancel_while_it_rings(running):
    rung, cancelled, clock = [], [], SystemClock()

    def work(number):
        for i in range(500):
            alarm = running.at(clock.steady_ns() + (i % 7) * 100_000, lambda: rung.append(number))
            if i % 2 and alarm.cancel():
                cancelled.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = threading.Event()
    running.at(clock.steady_ns() + NS // 100, done.set)
    assert done.wait(LIMIT)
    assert len(rung) + len(cancelled) == 2000
    assert len(running) == 0


def test_stop_ends_the_thread_and_forgets_what_was_set():
    alarms, rung = Alarms(SystemClock()), []
    before = threading.active_count()
    alarms.start()
    alarms.start()
    assert threading.active_count() == before + 1
    alarm = alarms.at(SystemClock().steady_ns() + NS, lambda: rung.append(1))
    alarms.stop()
    alarms.stop()
    assert threading.active_count() == before
    assert len(alarms) == 0
    assert not alarm.cancel()
    assert alarms.run_due(SystemClock().steady_ns() + 2 * NS) == 0


def test_it_may_be_stopped_from_a_callback_and_started_again():
    alarms, stopped, rung = Alarms(SystemClock()), threading.Event(), threading.Event()

    def stop():
        alarms.stop()
        stopped.set()

    alarms.start()
    alarms.at(0, stop)
    assert stopped.wait(LIMIT)
    alarms.start()
    alarms.at(0, rung.set)
    assert rung.wait(LIMIT)
    alarms.stop()
