from hypothesis import given
from hypothesis import strategies as st

from edge_ai.capture.stamper import Stamper
from edge_ai.core.clock import NS, ManualClock


def test_a_stamp_is_the_same_instant_on_the_other_clock() -> None:
    clock = ManualClock(stamp_ns=1000 * NS, steady_ns=5 * NS)
    assert Stamper(clock).stamp(5 * NS - 100) == (1000 * NS - 100, 5 * NS - 100)


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 5)), min_size=1, max_size=50))
def test_stamps_grow_strictly_whatever_the_jitter(steps: list[tuple[int, int]]) -> None:
    clock = ManualClock()
    stamper, last = Stamper(clock), (-1, -1)
    for back_ms, forward_ms in steps:
        clock.advance(forward_ms / 1000)
        clock.step_stamps(-abs(back_ms) / 20_000)
        now = stamper.stamp(clock.steady_ns() + back_ms * 100_000)
        assert now[0] > last[0]
        assert now[1] > last[1]
        last = now


def test_a_clock_set_back_is_followed_so_that_no_stamp_lies_in_the_future() -> None:
    clock = ManualClock()
    stamper = Stamper(clock)
    stamper.stamp(clock.steady_ns())
    clock.advance(0.1)
    clock.step_stamps(-10.0)
    stamp, steady = stamper.stamp(clock.steady_ns())
    assert (stamp, steady) == (clock.stamp_ns(), clock.steady_ns())


def test_a_clock_set_forward_is_followed() -> None:
    clock = ManualClock()
    stamper = Stamper(clock)
    stamper.stamp(clock.steady_ns())
    clock.step_stamps(10.0)
    assert stamper.stamp(clock.steady_ns() + 1)[0] == clock.stamp_ns() + 1
