import numpy as np
import pytest

from edge_ai.batching.control import best_control


def line(fixed, each, largest):
    seconds = fixed + each * np.arange(largest + 1.0)
    seconds[0] = 0
    return seconds


def mean_time(rate, seconds, control, count=15_000, seed=1):
    """Mean time from arrival to result of a simulated queue; `control` says how many to run for how many wait."""
    arrivals = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))
    now = spent = 0.0
    served = 0
    while served < count:
        waiting = int(np.searchsorted(arrivals, now, "right")) - served
        size = control(waiting)
        if size == 0:
            if served + waiting >= count:
                break
            now = max(now, arrivals[served + waiting])
            continue
        now += seconds[size]
        spent += float((now - arrivals[served : served + size]).sum())
        served += size
    return spent / served


def by(table):
    return lambda waiting: int(table[min(waiting, len(table) - 1)])


@pytest.mark.parametrize("load", [0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("curve", [(10e-3, 1e-3, 16), (1e-3, 5e-3, 16), (5e-3, 0.2e-3, 32), (5e-3, 5e-3, 8)])
def test_it_is_as_good_as_the_best_threshold_and_size(curve, load):
    seconds = line(*curve)
    largest = curve[-1]
    rate = load * largest / seconds[largest]
    own = mean_time(rate, seconds, by(best_control(rate, seconds)))
    others = [
        mean_time(rate, seconds, lambda waiting, s=size, t=least: min(waiting, s) if waiting >= t else 0)
        for size in (1, 2, 4, 8, largest)
        for least in (1, 2, 4)
        if least <= size and size / seconds[size] > 1.05 * rate
    ]
    assert own <= 1.03 * min(others)


def test_where_a_batch_gains_nothing_items_run_one_by_one():
    control = best_control(30.0, line(0.0, 0.010, 8))
    assert control[:9].tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 1]


def test_where_a_batch_costs_the_same_all_run_together():
    control = best_control(100.0, line(0.010, 1e-6, 8))
    assert [size for waiting, size in enumerate(control[3:9], 3) if size != waiting] == []


def test_it_waits_where_that_pays():
    """Four at the price of one, and nearly as many arrivals as that can bear."""
    control = best_control(0.9 * 4 / 0.010, line(0.010, 1e-6, 4))
    assert control[1] == 0
    assert control[4] == 4


def test_an_idle_engine_starts_at_once_where_waiting_gains_next_to_nothing():
    assert best_control(0.5 * 16 / 0.026, line(0.010, 0.001, 16))[1] == 1


def test_a_size_that_the_engine_is_bad_at_is_avoided():
    seconds = line(0.002, 0.001, 8)
    seconds[5:] += 0.050
    assert best_control(250.0, seconds).max() == 4


@pytest.mark.parametrize("rate", [0.0, 1e-6, 1e6])
def test_extremes_have_a_control(rate):
    control = best_control(rate, line(0.010, 0.001, 16))
    assert control[-1] == 16
    assert control.min() >= 0
    assert best_control(rate, line(0.01, 0.001, 1)).tolist()[:3] == [0, 1, 1]
