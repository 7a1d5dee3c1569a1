import math
import os

import pytest

from benchmarks.machine import holdings
from benchmarks.realtime.soak import _gained, growth


def noisy(count, slope=0.0, noise=0.0):
    return [300 + slope * i + noise * math.sin(i * 2.1) for i in range(count)]


def test_noise_is_not_growth_and_a_leak_is():
    assert abs(growth(noisy(600, noise=4.0))["growth_over_noise"]) < 0.2
    leak = growth(noisy(600, slope=0.02, noise=1.0))
    assert leak["slope_mib"] == pytest.approx(12, rel=0.1)
    assert leak["growth_over_noise"] > 2


def test_what_happens_while_pools_fill_is_left_out():
    rss = [200 + min(i, 90) for i in range(600)]
    assert growth(rss)["growth_over_noise"] == 0


def test_what_was_gained_after_settling():
    held = [{"fds": 20 + min(i, 3)} for i in range(20)]
    assert _gained(held, "fds", 3) == 0
    assert _gained([{"fds": 20 + i} for i in range(20)], "fds", 3) > 10


def test_holdings_of_a_process_and_of_none():
    mine = holdings(os.getpid())
    assert mine["rss_mib"] > 5
    assert mine["fds"] >= 3
    assert mine["threads"] >= 1
    assert all(math.isnan(value) for value in holdings(2**22 + 1).values())
