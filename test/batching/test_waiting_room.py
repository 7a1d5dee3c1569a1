import pytest

from edge_ai.batching.counts import SourceCounts
from edge_ai.batching.fair_queue import Share
from edge_ai.batching.policy import FixedPolicy
from edge_ai.batching.ticket import Ticket
from edge_ai.batching.waiting_room import WaitingRoom
from edge_ai.core.clock import NS

MS = NS // 1000


class Slow(FixedPolicy):
    def least_ns(self, now_ns):
        return 20 * MS


@pytest.fixture
def make():
    def make(policy=None, shares=None, capacity=4):
        room = WaitingRoom(policy or FixedPolicy(4, 0.02), shares or {}, capacity)

        def enter(now, source="a", latest=False, deadline=None):
            room.counts.setdefault(source, SourceCounts()).submitted += 1
            ticket = Ticket(now, source, now, deadline, None, room.remove)
            return ticket, room.admit(ticket, latest, now)

        return room, enter

    return make


def test_the_latest_takes_the_place_of_what_waits_and_of_its_wait(make):
    room, enter = make()
    old, _ = enter(5 * MS, latest=True)
    new, dropped = enter(9 * MS, latest=True)
    assert (list(dropped), old.reason, new.since_ns) == ([old], "replaced", 5 * MS)
    assert room.take(4, 10 * MS) == ([new], [])
    assert room.counts["a"].dropped == {"replaced": 1}


def test_room_is_limited_by_source(make):
    room, enter = make(capacity=2)
    assert [bool(enter(5 * MS)[1]) for _ in range(3)] == [False, False, True]
    assert not enter(5 * MS, source="b")[1]
    assert room.counts["a"].dropped == {"full": 1}


def test_more_than_the_rate_is_refused(make):
    room, enter = make(shares={"a": Share(max_rate=10)})
    assert [bool(enter(now * MS)[1]) for now in (1000, 1010, 1100)] == [False, True, False]
    assert room.counts["a"].dropped == {"rate": 1}


def test_what_can_no_longer_make_it_is_refused_at_once_or_when_its_turn_comes(make):
    room, enter = make(Slow(4, 0.02))
    hopeless, dropped = enter(5 * MS, deadline=25 * MS)
    assert list(dropped) == [hopeless]
    late, dropped = enter(5 * MS, deadline=30 * MS)
    good, _ = enter(5 * MS)
    assert not dropped
    assert room.take(1, 31 * MS) == ([good], [late])
    assert room.counts["a"].dropped == {"expired": 2}


def test_what_is_cancelled_is_in_no_batch_and_ends_once(make):
    room, enter = make()
    first, second = enter(1)[0], enter(2)[0]
    assert first.cancel()
    assert not first.cancel()
    assert room.take(4, 3) == ([second], [])
    assert not second.cancel()
    assert room.counts["a"].dropped == {"cancelled": 1}


def test_it_is_not_waited_for_more_than_the_cameras_there_are(make):
    room, enter = make()
    enter(10 * NS, source="a", latest=True)
    enter(10 * NS, source="b", latest=True)
    assert room.plan(10 * NS).enough == 2
    room.take(4, 10 * NS)
    enter(12 * NS, source="a", latest=True)
    assert room.plan(12 * NS).enough == 1  # b hangs
    enter(12 * NS, source="c")
    assert room.plan(12 * NS).enough == 4  # c may send any number


def test_the_soonest_deadline_is_that_of_any_item(make):
    room, enter = make()
    assert room.soonest_ns() is None
    enter(1)
    enter(1, deadline=90)
    enter(1, source="b", deadline=70)
    assert room.soonest_ns() == 70
