import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from std_msgs.msg import String

from edge_ai.nodes.mailbox import Mailbox
from edge_ai.nodes.qos import NEWEST, STATUS


def say(publisher, *words):
    for word in words:
        publisher.publish(String(data=word))


def test_messages_wait_until_they_are_taken_and_wake_nobody(ros, until):
    one = ros()
    box = Mailbox(one.probe, String, "words", STATUS)
    publisher = one.probe.create_publisher(String, "words", STATUS)
    until(lambda: one.probe.count_publishers("words"), "the publisher")
    before = time.time_ns()
    say(publisher, "a", "b", "c")
    got = []
    until(lambda: got.extend(box.all()) or len(got) == 3, "all three")
    assert [message.data for message, _ in got] == ["a", "b", "c"]
    assert all(before - 10**9 < received < time.time_ns() + 10**9 for _, received in got)
    assert box.take() is None
    assert box.missed == 0


def test_only_the_newest_is_kept_where_only_it_counts_and_the_others_are_counted(ros, until):
    one = ros()
    box = Mailbox(one.probe, String, "words", NEWEST)
    publisher = one.probe.create_publisher(String, "words", STATUS)
    until(publisher.get_subscription_count, "the subscription")
    say(publisher, "first")
    until(lambda: box.newest() is not None, "the first")
    say(publisher, *"abcde")
    newest = []
    until(lambda: newest.append(box.newest()) or (newest[-1] and newest[-1].data == "e"), "the last")
    taken = sum(message is not None for message in newest)
    assert box.missed == 5 - taken


def test_bytes_as_they_came_over_the_wire(ros, until):
    one = ros()
    box = Mailbox(one.probe, String, "words", STATUS, raw=True)
    publisher = one.probe.create_publisher(String, "words", STATUS)
    until(publisher.get_subscription_count, "the subscription")
    say(publisher, "hello")
    data = until(box.take, "it")[0]
    assert b"hello" in data
    box.close()
    until(lambda: not publisher.get_subscription_count(), "its end")
