"""The board between the robot and those who look."""

import threading

import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.state import Board


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def board(clock):
    return Board(clock, history=60.0)


def system(**readings):
    return {"readings": readings, "texts": {}, "faults": {}}


def test_the_newest_value_of_each_section_and_how_old_it_is(board, clock):
    board.put("control", {"state": "STALE"})
    board.put("control", {"state": "FOLLOWING"})
    clock.advance(3)
    entries, _ = board.since(0)
    assert entries["control"].value == {"state": "FOLLOWING"}
    assert board.age(entries["control"]) == 3


def test_only_what_changed_since_a_version(board):
    board.put("identity", {"name": "a"})
    _, version = board.since(0)
    board.put("result", {"count": 1})
    changed, later = board.since(version)
    assert list(changed) == ["result"]
    assert board.since(later) == ({}, later)


def test_a_section_that_the_page_does_not_have_is_refused(board):
    with pytest.raises(EdgeAIError, match=r"got 'kitchen'; wanted identity or .*recorder"):
        board.put("kitchen", {})


def test_the_last_minutes_once_a_second_with_gaps_where_nothing_was_known(board, clock):
    for second in range(3):
        board.put("system", system(cpu=second / 10, fps=10.0))
        board.put("system", system(cpu=0.99))  # within the same second
        board.put("routing", {"edge_share": 0.75, "cloud_share": 0.25, "skip_share": 0.0})
        clock.advance(1)
    history = board.history()
    assert history["ago"] == [3, 2, 1]
    assert history["cpu"] == [0.0, 0.1, 0.2]
    assert history["gpu"] == [None, None, None]
    assert history["edge_share"] == [None, 0.75, 0.75]


def test_what_is_older_than_the_plots_is_forgotten(board, clock):
    for _ in range(500):
        board.put("system", system(cpu=0.5))
        clock.advance(1)
    assert max(board.history()["ago"]) <= 60
    clock.advance(100)
    assert board.history()["ago"] == []


def test_many_threads_put_and_nobody_sees_half_of_it(board):
    def put(name):
        for number in range(300):
            board.put(name, {"number": number})

    threads = [threading.Thread(target=put, args=(name,)) for name in ("control", "result", "nodes")]
    for thread in threads:
        thread.start()
    version, seen = 0, {}
    while any(thread.is_alive() for thread in threads) or board.since(version)[0]:
        changed, version = board.since(version)
        for name, entry in changed.items():
            assert entry.value["number"] >= seen.get(name, 0)
            seen[name] = entry.value["number"]
    assert seen == dict.fromkeys(("control", "result", "nodes"), 299)
