import threading
import time

import pytest

pytest.importorskip("rclpy")

from std_msgs.msg import Header

from edge_ai.nodes.reader import Held, Inbox, Reader

plain = Held.can_execute


@pytest.fixture
def held(ros, until):
    """A probe with an inbox of its own on topic `t`, and a function that publishes there."""
    robot = ros()
    node = robot.probe
    inbox = Inbox(node.create_subscription(Header, "t", id, 1, callback_group=Held()))
    publisher = node.create_publisher(Header, "t", 1)
    until(publisher.get_subscription_count, "the subscription")

    def say(*words):
        for word in words:
            publisher.publish(Header(frame_id=word))

    return node, inbox, say


def test_a_reader_hands_on_what_the_executor_leaves_alone(held, until):
    node, inbox, say = held
    got = []
    reader = Reader(node, [inbox], lambda box: got.append(box.take().frame_id), "test")
    for word in ("a", "b"):
        say(word)
        until(lambda word=word: got and got[-1] == word, word)
    assert got == ["a", "b"]
    assert list(reader.stop()) == [inbox]


def test_what_is_not_taken_is_replaced_and_counted(held, until):
    _, inbox, say = held
    say("a")
    first = until(inbox.take, "a message")
    say("b", "c", "d")
    time.sleep(0.2)
    assert (first.frame_id, inbox.take().frame_id) == ("a", "d")
    assert inbox.take() is None
    assert inbox.missed == 2


class Numbered:
    """What an inbox asks of a subscription, with messages numbered as given."""

    msg_type, raw, topic_name = Header, False, "t"

    def __init__(self, *infos, publishers=1):
        self._publishers = publishers
        self.handle, self.callback_group = self, Held()
        self._taken = iter([(Header(), info) for info in infos])

    def take_message(self, _kind, _raw):
        return next(self._taken, None)

    def get_publisher_count(self):
        return self._publishers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("info", [{}, {"publication_sequence_number": None}])
def test_middleware_that_does_not_number_messages_loses_none(info):
    """Humble's rclpy gives no number, others None where theirs has none."""
    inbox = Inbox(Numbered(info, info, info))
    assert all(inbox.take() == Header() for _ in range(3))
    assert (inbox.take(), inbox.missed) == (None, 0)


@pytest.mark.parametrize(
    ("numbers", "publishers", "missed"),
    [((8, 10, 1, 2, 5), 1, 1 + 2), ((1000, 5, 1001, 6, 1002), 2, 0)],
    ids=["one that is started anew counts from one", "two at once cannot be told apart"],
)
def test_publishers_number_their_own_messages(numbers, publishers, missed):
    infos = ({"publication_sequence_number": number} for number in numbers)
    inbox = Inbox(Numbered(*infos, publishers=publishers))
    while inbox.take() is not None:
        pass
    assert inbox.missed == missed


def test_a_handler_that_raises_does_not_end_the_reader(held, until, caplog):
    node, inbox, say = held
    got = []

    def handle(box):
        got.append(box.take().frame_id)
        raise ValueError("bad message")

    reader = Reader(node, [inbox], handle, "test")
    for word in ("a", "b"):
        say(word)
        until(lambda word=word: got and got[-1] == word, word)
    reader.stop()
    assert "bad message" in caplog.text


def test_stopping_waits_for_the_handler_and_nothing_comes_after_it(held):
    node, inbox, say = held
    entered, leave = threading.Event(), threading.Event()

    def handle(box):
        box.take()
        entered.set()
        leave.wait(5.0)

    reader = Reader(node, [inbox], handle, "test")
    say("a")
    assert entered.wait(5.0)
    stopper = threading.Thread(target=reader.stop)
    stopper.start()
    time.sleep(0.1)
    assert stopper.is_alive()
    leave.set()
    stopper.join(5.0)
    assert not stopper.is_alive()
    say("b")
    assert inbox.take() is None


def test_a_reader_without_messages_ends_at_once(held, monkeypatch):
    monkeypatch.setattr("edge_ai.nodes.reader._SILENCE", 3600.0)
    node, inbox, _ = held
    reader = Reader(node, [inbox], lambda box: box.take(), "test")
    stopper = threading.Thread(target=reader.stop, daemon=True)
    stopper.start()
    stopper.join(30.0)
    assert not stopper.is_alive(), "it sleeps on for an hour"


def test_messages_that_wait_do_not_keep_the_executor_busy(held, until, monkeypatch):
    """They wake whoever waits for an event of their subscription, so the executor must not."""
    node, inbox, say = held
    asked, group = [], inbox.subscription.callback_group
    monkeypatch.setattr(Held, "can_execute", lambda self, entity: asked.append(entity) or plain(self, entity))
    leave = threading.Event()
    reader = Reader(node, [inbox], lambda box: leave.wait(5.0) and box.take(), "test")
    say("a")
    until(lambda: not group.silent, "the message to be noticed")
    asked.clear()
    time.sleep(0.5)
    rounds = asked.count(inbox.subscription)
    leave.set()
    reader.stop()
    assert rounds < 100, "the executor wakes every 50 ms; one that never rests asks thousands of times"


def test_what_others_take_is_no_silence(held, until):
    """A worker takes most images before the reader is awake."""
    _, inbox, say = held
    say("a")
    until(inbox.take, "the message")
    inbox.look(False)
    assert not inbox.subscription.callback_group.silent


def test_after_a_silence_the_executor_hears_events_again(held, until):
    node, inbox, say = held
    reader = Reader(node, [inbox], lambda box: box.take(), "test")
    say("a")
    until(lambda: not inbox.subscription.callback_group.silent, "the message to be noticed")
    until(lambda: inbox.subscription.callback_group.silent, "the silence to be noticed")
    reader.stop()
