"""The judge's benchmark: the rank test it is compared with, intervals of shares, one row."""

import numpy as np
import pytest

from benchmarks.deploy import judge
from edge_ai.fleet.releases import RELEASES


def test_the_rank_test_passes_seven_of_ten_a_hundred_times_worse_and_sees_a_shift():
    stable = np.linspace(0.9, 1.1, 10)
    assert not judge._greater(stable, np.where(np.arange(10) < 7, 100 * stable, stable))
    assert judge._greater(stable, 1.5 * stable)
    assert not judge._greater(stable, stable + 1e-3 * (-1) ** np.arange(10))


def test_a_share_has_its_interval():
    rows = [{"bad": True, "wrong": 0, "runs": 60}, {"bad": True, "wrong": 5, "runs": 40}, {"bad": False}]
    share, low, high = judge._interval(rows, "wrong", True)
    assert share == 0.05
    assert (low, high) == pytest.approx((0.0215, 0.1118), abs=1e-3)


def test_a_row_counts_wrong_ends_and_open_ones():
    fails = judge._row("fails", RELEASES["fails"], (7, 3), "alike", 3)
    assert (fails["judge_wrong"], fails["undecided"], fails["windows"]) == (0, 0, 1)
    assert fails["rank_10_wrong"] == 0
