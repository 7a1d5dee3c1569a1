import numpy as np
import pytest

from edge_ai.batching.curve import LatencyCurve
from edge_ai.core.clock import NS

MS = NS // 1000


@pytest.fixture
def learnt():
    def learnt(takes, sizes, max_size=16):
        curve = LatencyCurve(max_size)
        for number, size in enumerate(sizes):
            curve.add(size, takes(size) if callable(takes) else takes[number], NS + number * MS)
        return curve

    return learnt


@pytest.mark.parametrize(("fixed", "each"), [(0.010, 0.002), (0.0, 0.005), (0.008, 0.0)])
def test_a_line_is_found_and_holds_for_sizes_that_never_ran(learnt, fixed, each):
    curve = learnt(lambda size: fixed + each * size, [1, 2, 4, 8] * 3)
    assert np.allclose(curve.seconds()[1:], fixed + each * np.arange(1, 17), rtol=0.05)
    assert (curve.seconds()[0], curve.known) == (0, 8)


def test_with_nothing_to_tell_it_from_half_is_fixed_cost(learnt):
    assert np.allclose(learnt(lambda size: 0.010, [1] * 9).seconds()[[1, 2, 3]], [0.010, 0.015, 0.020])


def test_nothing_ran_yet():
    curve = LatencyCurve(4)
    assert curve.seconds().tolist() == [0] * 5
    assert curve.known == 0
    assert curve.spread() == 1.25


def test_a_few_odd_runs_change_little_and_a_slower_clock_soon_tells(learnt):
    usual, slow = [0.010] * 47, [0.020] * 50
    curve = learnt(usual + [1.0] * 3, [1] * 50)
    assert 0.010 < curve.seconds()[1] <= 0.012
    assert learnt(usual + slow, [1] * 97).seconds()[1] == pytest.approx(0.020)


def test_large_batches_of_a_bad_moment_are_not_thought_slow(learnt):
    """The machine is four times slower now and then, and it is then that batches grow."""
    sizes = [1, 2, 1, 1, 2, 1, 8, 7, 5, 8, 6, 8] * 6
    took = [(0.010 + 0.001 * size) * (4 if size > 4 else 1) for size in sizes]
    seconds = learnt(took, sizes).seconds()
    assert seconds[8] / seconds[1] == pytest.approx(18 / 11, rel=0.25)


def test_runs_long_apart_are_not_compared():
    curve = LatencyCurve(8)
    for number in range(20):
        size = 1 + number % 2
        curve.add(size, 0.010, NS + 2 * number * NS)
    assert curve.seconds()[2] == pytest.approx(1.5 * curve.seconds()[1])


def test_how_much_longer_a_run_may_take(learnt):
    curve = learnt([0.020 if number % 10 == 0 else 0.010 for number in range(50)], [1] * 50)
    assert curve.spread() == pytest.approx(0.020 / curve.seconds()[1])
    assert learnt(lambda size: 0.010, [1] * 20).spread() == 1


def test_a_size_grows_stale_and_its_neighbours_speak_for_it(learnt):
    curve = learnt(lambda size: 0.010, [1, 8] * 3)
    assert not curve.stale(8, 2 * NS)
    assert not curve.stale(9, 2 * NS)
    assert curve.stale(4, 2 * NS)
    assert curve.stale(8, 62 * NS)
    assert learnt(lambda size: 0.010, [8, 8]).stale(8, 2 * NS)
