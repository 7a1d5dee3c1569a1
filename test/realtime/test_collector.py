import gc
import threading
import time
import weakref

import pytest

from edge_ai.realtime.collector import Collector


class Cycle:
    def __init__(self):
        self.me = self


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.enable()
    gc.unfreeze()


def test_frozen_objects_are_passed_over_until_the_end():
    before = Cycle()
    gone = weakref.ref(before)
    collector = Collector(manual=False)
    collector.start()
    assert gc.get_freeze_count() > 1000
    assert gc.isenabled()
    del before
    gc.collect()
    assert gone() is not None
    collector.stop()
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert gone() is None


def test_manual_means_that_nothing_collects_by_itself_and_that_the_collector_still_does():
    collector = Collector(manual=True)
    collector.start()
    try:
        assert not gc.isenabled()
        assert "gc" in [thread.name for thread in threading.enumerate()]
        gone = weakref.ref(Cycle())
        assert gone() is not None
        assert collector.look(time.monotonic() + 60)
        assert gone() is None
    finally:
        collector.stop()
        collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert "gc" not in [thread.name for thread in threading.enumerate()]


def test_it_looks_at_the_time_and_at_how_much_was_made():
    collector = Collector(manual=True)
    gc.disable()
    gc.collect()
    assert collector.look(100.0)
    assert not collector.look(109.9)
    assert collector.look(110.1)
    made = [[] for _ in range(30_000)]
    assert collector.look(110.2)
    assert not collector.look(110.3)
    assert len(made) == 30_000


def test_garbage_in_cycles_does_not_pile_up_although_python_collects_nothing():
    collector = Collector(manual=True)
    collector.start()
    try:
        end = time.monotonic() + 8  # sooner than it would come for the time alone
        first = weakref.ref(Cycle())
        while first() is not None:
            assert time.monotonic() < end, "the collector's thread never came"
            for _ in range(1000):
                Cycle()
            time.sleep(0.001)
    finally:
        collector.stop()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    collector = Collector(manual=True)
    collector.start()
    collector.stop()
    assert not gc.isenabled()
