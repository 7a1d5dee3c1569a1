from __future__ import annotations

import pytest

from edge_ai.control.params import ControlParams
from edge_ai.control.tracker import TargetTracker, is_wanted

PARAMS = ControlParams(lost_after=1.0)
SMALL, LARGE = [100, 200, 140, 300], [300, 100, 400, 340]
LOW = [500, 380, 530, 460]


@pytest.fixture
def see(clock, make_result):
    """Shows a tracker a result; says at which box its target is, or -1."""
    tracker = TargetTracker()

    def see(boxes, *args, after=0.1, params=PARAMS):
        clock.advance(after)
        target = tracker.update(make_result(boxes, *args), params)
        return -1 if target is None else target.index

    return see


def test_chooses_the_largest(see):
    assert see([SMALL, LOW, LARGE]) == 2


def test_chooses_the_nearest(see):
    assert see([SMALL, LARGE, LOW], params=PARAMS.changed(follow_by="nearest")) == 2


def test_chooses_only_those_of_the_class_and_score(see):
    assert see([LARGE, SMALL], [0.8, 0.5], [1, 0]) == 1
    assert see([LARGE], [0.9], [2], after=2) == -1
    assert see([LARGE], [0.3], after=2) == -1
    assert see([LARGE], [0.9], [2], after=2, params=PARAMS.changed(follow_class="*")) == 0


def test_keeps_to_the_same_one_when_a_larger_one_comes(see):
    assert see([SMALL]) == 0
    for _ in range(20):
        assert see([LARGE, SMALL]) == 1


def test_a_low_score_does_not_lose_the_target(see):
    assert see([SMALL]) == 0
    assert see([LARGE, SMALL], [0.9, 0.2]) == 1


def test_waits_for_the_lost_before_choosing_another(see):
    assert see([SMALL]) == 0
    for _ in range(10):
        assert see([LARGE]) == -1
    assert see([LARGE]) == 0


def test_takes_the_lost_up_again(see):
    assert see([SMALL]) == 0
    assert see([LARGE]) == -1
    assert see([]) == -1
    assert see([LARGE, SMALL]) == 1


def test_tells_how_long_the_target_is_missed(clock, make_result):
    tracker = TargetTracker()
    assert tracker.missed_for(clock.steady_ns()) is None
    tracker.update(make_result([SMALL]), PARAMS)
    clock.advance(0.3)
    assert tracker.missed_for(clock.steady_ns()) == pytest.approx(0.3)
    tracker.forget()
    assert tracker.missed_for(clock.steady_ns()) is None


def test_target_is_told_in_plain_values(make_result):
    target = TargetTracker().update(make_result([SMALL], [0.75]), PARAMS)
    assert target.box == (100.0, 200.0, 140.0, 300.0)
    assert (target.index, target.score, target.class_id, target.class_name) == (0, 0.75, 0, "person")
    assert all(type(value) is float for value in (*target.box, target.score))


def test_two_who_cross(see):
    """The one chosen first walks right behind another who walks left, and is not seen while behind."""
    for step in range(30):
        x, other = 100 + 12 * step, 450 - 12 * step
        mine, theirs = [x - 25, 150, x + 25, 260], [other - 20, 150, other + 20, 250]
        hidden = abs(x - other) < 40
        boxes = [theirs] if hidden else [theirs, mine]
        assert see(boxes) == (-1 if hidden else 1), step


def test_wanted_classes():
    assert is_wanted("dog", "dog")
    assert is_wanted("dog", ["cat", "dog"])
    assert is_wanted("dog", ["*"])
    assert not is_wanted("dog", "person")
    assert not is_wanted("dog", [""])
    assert not is_wanted("dog", [])
