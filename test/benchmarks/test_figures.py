import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import calm, growth, in_ms, median, percentile, rate


def test_percentiles_of_a_known_series():
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert (percentile(values, 0), median(values), percentile(values, 75), percentile(values, 100)) == (1, 3, 4, 5)
    assert percentile([0.0, 10.0], 99) == pytest.approx(9.9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_has_its_share_of_the_values_below(values, p):
    found = percentile(values, p)
    rank = p / 100 * (len(values) - 1)
    slack = 1e-6 * max(1.0, *map(abs, values))
    assert sum(value <= found + slack for value in values) >= math.floor(rank) + 1
    assert sum(value >= found - slack for value in values) >= len(values) - math.ceil(rank)


def test_no_values_have_no_figures():
    assert math.isnan(percentile([], 50))
    assert math.isnan(growth([1.0, 2.0]))
    assert math.isnan(rate([1.0]))
    assert in_ms([]) == {"n": 0}


def test_durations_are_summed_up_in_milliseconds():
    assert in_ms([0.001, 0.002, 0.003]) == {"n": 3, "p50": 2.0, "p90": 2.8, "p99": 2.98, "max": 3.0}


def test_growth_compares_the_last_third_with_the_first():
    assert growth([1, 1, 1, 50, 50, 50, 3, 3, 3]) == 3
    assert growth([2.0] * 10) == 1


def test_a_rate_counts_the_steps_between_events():
    assert rate([10.0, 10.5, 11.0]) == 2


def test_calm_rounds_are_judged_where_there_are_enough_of_them():
    assert calm([0.1, 0.9, 0.3, 0.2], bound=0.3, least=3) == [0, 2, 3]
    assert calm([0.1, 0.9, 0.8, 0.2], bound=0.3, least=3) == [0, 1, 2, 3]
