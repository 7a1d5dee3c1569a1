"""Calls that may never return."""

import threading
from concurrent.futures import TimeoutError as FutureTimeoutError

import pytest

from edge_ai.runtime.swap.lane import HungError, Lane


@pytest.fixture
def lane():
    lane = Lane("a test")
    yield lane
    lane.close()


def test_calls_run_on_a_thread_of_their_own_one_after_the_other(lane):
    names = {lane.call("a call", lambda: threading.current_thread().name, 5) for _ in range(3)}
    assert names == {"a test"}


def test_what_a_call_raises_is_raised(lane):
    with pytest.raises(KeyError):
        lane.call("a call", lambda: {}["none"], 5)
    with pytest.raises(FutureTimeoutError):
        lane.call("a call", raises_timeout, 5)
    assert lane.call("another", lambda: 1, 5) == 1


def test_what_is_given_up_is_not_waited_for_any_longer(lane):
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        return go_on.wait(20)

    giver = threading.Thread(target=lambda: begun.wait(20) and lane.give_up())
    giver.start()
    with pytest.raises(HungError, match="before it was given up"):
        lane.call("a call", work, 20)
    giver.join()
    with pytest.raises(HungError):
        lane.call("another", lambda: 1, 5)
    go_on.set()
    lane.close()
    lane.join()


def raises_timeout():
    raise FutureTimeoutError


def test_who_asks_waits_no_longer_than_it_wants_to(lane):
    go_on, done = threading.Event(), []
    with pytest.raises(HungError, match=r"a call: got no end; wanted one within 0\.05 s"):
        lane.call("a call", go_on.wait, 0.05)
    with pytest.raises(HungError, match="a call before it that still hangs"):
        lane.call("another", lambda: done.append(1), 5)
    go_on.set()
    lane.close()
    lane.join()
    assert not done
