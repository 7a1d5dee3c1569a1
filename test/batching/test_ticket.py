import threading

import pytest

from edge_ai.batching.ticket import Ticket
from edge_ai.core.errors import InferenceError


def ticket(on_done=None, drop=lambda ticket: False):
    return Ticket("item", "eye", 1, None, on_done, drop)


def test_a_result_that_is_there_is_given_at_once():
    one = ticket()
    one.output = 7
    one.end("done")
    assert one.ended
    assert one.result(0) == 7


def test_whoever_waits_is_woken():
    one, got = ticket(), []
    waiters = [threading.Thread(target=lambda: got.append(one.result(5))) for _ in range(2)]
    for waiter in waiters:
        waiter.start()
    one.output = 7
    one.end("done")
    for waiter in waiters:
        waiter.join(5)
    assert got == [7, 7]


def test_patience_ends():
    with pytest.raises(TimeoutError):
        ticket().result(0.01)


def test_a_failure_is_raised_as_it_came():
    one = ticket()
    one.error = ZeroDivisionError("its own")
    one.end("failed")
    with pytest.raises(ZeroDivisionError, match="its own"):
        one.result(0)


def test_a_drop_says_why():
    one = ticket()
    one.reason = "replaced"
    one.end("dropped")
    with pytest.raises(InferenceError, match="'eye' was dropped: got replaced"):
        one.result(0)


def test_cancelling_is_up_to_whoever_holds_it():
    asked = []
    one = ticket(drop=lambda ticket: bool(asked.append(ticket)))
    assert one.cancel() is False
    assert asked == [one]


def test_a_callback_that_raises_is_logged(caplog):
    def callback(one):
        raise RuntimeError("nobody home")

    ticket(callback).end("done")
    assert "nobody home" in caplog.text
