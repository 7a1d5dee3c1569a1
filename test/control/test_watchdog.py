from __future__ import annotations

from edge_ai.control.watchdog import Watchdog
from edge_ai.core.clock import NS


def test_nothing_is_not_fresh():
    assert Watchdog().age(5) is None
    assert not Watchdog().fresh(5, 100.0)


def test_age_counts_from_the_capture():
    watchdog = Watchdog()
    watchdog.feed(10 * NS, 10 * NS + NS // 10)
    assert watchdog.age(10 * NS + NS // 4) == 0.25
    assert watchdog.fresh(10 * NS + NS // 4, 0.25)
    assert not watchdog.fresh(10 * NS + NS // 4 + 1, 0.25)


def test_a_clock_ahead_does_not_lengthen_a_life():
    watchdog = Watchdog()
    watchdog.feed(11 * NS, 10 * NS)
    assert watchdog.age(12 * NS) == 2.0


def test_forgets():
    watchdog = Watchdog()
    watchdog.feed(NS, NS)
    watchdog.forget()
    assert watchdog.age(NS) is None
