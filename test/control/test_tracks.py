from __future__ import annotations

import numpy as np

from edge_ai.control.tracks import Tracks
from edge_ai.core.clock import NS
from edge_ai.core.types import Detections

PERIOD = NS // 10


def walker(x, y=200.0, width=40.0, height=100.0):
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def ids(tracks, boxes, now, classes=None, start=None):
    found = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), 0.8, np.float32),
        np.array(classes or [0] * len(boxes), np.int32),
    )
    every = range(len(boxes))
    seen = tracks.update(found, every, every if start is None else start, now)
    return [seen[i].track_id if i in seen else None for i in every]


def test_numbers_stay_whatever_the_order():
    tracks = Tracks()
    assert ids(tracks, [walker(100), walker(300)], 0) == [0, 1]
    assert ids(tracks, [walker(305), walker(105)], PERIOD) == [1, 0]
    assert ids(tracks, [walker(110), walker(500), walker(310)], 2 * PERIOD) == [0, 2, 1]


def test_two_who_cross_keep_their_numbers():
    tracks = Tracks()
    for step in range(30):
        right, left = walker(100 + 12 * step), walker(450 - 12 * step, 205)
        swapped = step % 2 == 1
        boxes = [left, right] if swapped else [right, left]
        assert ids(tracks, boxes, step * PERIOD) == ([1, 0] if swapped else [0, 1]), step


def test_one_hidden_behind_another_is_not_taken_for_them():
    """While only the one in front is seen, the box is theirs; the one behind comes out again with the old number."""
    tracks = Tracks()
    for step in range(30):
        front, behind = walker(100 + 12 * step, height=120), walker(450 - 12 * step)
        hidden = abs(front[0] - behind[0]) < 40
        numbers = ids(tracks, [front] if hidden else [front, behind], step * PERIOD)
        assert numbers == ([0] if hidden else [0, 1]), step


def test_a_quick_one_is_found_by_its_velocity():
    tracks = Tracks()
    for step in range(3):
        assert ids(tracks, [walker(100 + 30 * step)], step * PERIOD) == [0]
    for step in range(3, 8):
        assert ids(tracks, [walker(100 + 60 * (step - 1))], step * PERIOD) == [0]


def test_another_class_or_another_size_is_another_object():
    tracks = Tracks()
    assert ids(tracks, [walker(100)], 0) == [0]
    assert ids(tracks, [walker(100)], PERIOD, classes=[1]) == [1]
    assert ids(tracks, [walker(145, height=20, width=8)], 2 * PERIOD) == [2]


def test_only_some_may_begin_a_track():
    tracks = Tracks()
    assert ids(tracks, [walker(100), walker(300)], 0, start=[1]) == [None, 0]
    assert ids(tracks, [walker(100), walker(300)], PERIOD, start=[]) == [None, 0]


def test_the_lost_are_dropped_and_numbers_not_used_again():
    tracks = Tracks()
    assert ids(tracks, [walker(100)], 0) == [0]
    tracks.drop_lost(5 * PERIOD, 0.5)
    assert ids(tracks, [walker(100)], 5 * PERIOD) == [0]
    tracks.drop_lost(11 * PERIOD, 0.5)
    assert ids(tracks, [walker(100)], 11 * PERIOD) == [1]
    tracks.clear()
    assert ids(tracks, [walker(100)], 12 * PERIOD) == [2]


def test_nobody():
    assert ids(Tracks(), [], 0) == []
