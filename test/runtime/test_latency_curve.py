import numpy as np
import pytest

from edge_ai.core.clock import NS
from edge_ai.runtime.latency_curve import WINDOW, LatencyCurve


@pytest.fixture
def learnt():
    def learnt(times, runs=3, max_size=16):
        curve = LatencyCurve(max_size)
        for size, seconds in times.items():
            for run in range(runs):
                curve.add(size, seconds, NS + run)
        return curve

    return learnt


def test_between_and_beyond_the_sizes_that_ran_it_is_a_line(learnt):
    curve = learnt({2: 0.014, 4: 0.018, 8: 0.026})
    assert np.allclose(curve.seconds()[1:], 0.010 + 0.002 * np.arange(1, 17))
    assert (curve.seconds()[0], curve.known) == (0, 8)


def test_one_size_alone_is_half_fixed_cost(learnt):
    assert np.allclose(learnt({1: 0.010}).seconds()[[1, 2, 3]], [0.010, 0.015, 0.020])


def test_nothing_ran_yet():
    assert LatencyCurve(4).seconds().tolist() == [0] * 5
    assert LatencyCurve(4).known == 0


def test_a_few_odd_runs_change_little_and_a_slower_clock_soon_tells(learnt):
    curve = learnt({1: 0.010}, WINDOW)
    for _ in range(3):
        curve.add(1, 1.0, NS)
    assert 0.010 < curve.seconds()[1] <= 0.012
    for _ in range(WINDOW):
        curve.add(1, 0.020, NS)
    assert curve.seconds()[1] == pytest.approx(0.020)


def test_a_single_odd_run_of_a_size_is_drawn_to_the_line(learnt):
    curve = learnt({1: 0.012, 2: 0.014, 4: 0.018}, WINDOW)
    curve.add(8, 0.090, NS)
    assert 0.026 < curve.seconds()[8] < 0.060
    for _ in range(WINDOW):
        curve.add(8, 0.026, NS)
    assert curve.seconds()[8] == pytest.approx(0.026, rel=0.05)


def test_it_never_falls(learnt):
    assert (np.diff(learnt({1: 0.010, 2: 0.008, 4: 0.030, 5: 0.028}).seconds()) >= 0).all()


def test_how_much_longer_a_run_may_take(learnt):
    curve = learnt({1: 0.010})
    for number in range(60):
        curve.add(1, 0.020 if number % 10 == 0 else 0.010, NS)
    assert curve.spread() == pytest.approx(2.0)
    assert learnt({1: 0.010}).spread() == 1.25


def test_a_size_grows_stale_and_its_neighbours_speak_for_it(learnt):
    curve = learnt({1: 0.010, 8: 0.026})
    assert not curve.stale(8, 2 * NS)
    assert not curve.stale(9, 2 * NS)
    assert curve.stale(4, 2 * NS)
    assert curve.stale(8, 62 * NS)
    assert learnt({8: 0.026}, 2).stale(8, 2 * NS)
