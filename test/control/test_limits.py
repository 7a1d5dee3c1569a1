from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.control.limits import Axis, AxisLimits, Limiter
from edge_ai.control.params import ControlParams
from edge_ai.core.types import STOP, Velocity

LITTLE = 1e-6

positive = st.floats(0.05, 5)
limits = st.builds(AxisLimits, st.floats(0, 3), positive, positive, st.one_of(st.just(0.0), st.floats(0.5, 50)))
steps = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.001, 0.1)), min_size=1, max_size=150)


@given(limits, steps)
def test_never_past_any_limit(limits, steps):
    axis, last, rate = Axis(), 0.0, 0.0
    for wanted, dt in steps:
        speed = axis.move(wanted, limits, dt)
        change = (speed - last) / dt
        gaining = abs(speed) > abs(last)
        assert abs(speed) <= limits.speed + LITTLE
        assert abs(change) <= (limits.acceleration if gaining else limits.deceleration) + LITTLE / dt
        assert speed * last >= 0, "a change of direction goes through standstill"
        if limits.jerk:
            assert abs(change - rate) <= limits.jerk * dt + LITTLE / dt
        last, rate = speed, change


@given(limits, st.floats(-5, 5), st.floats(-5, 5), st.floats(0.005, 0.05))
def test_reaches_what_is_wanted_without_overshoot(limits, first, wanted, dt):
    axis = Axis()
    for _ in range(20):
        axis.move(first, limits, dt)
    goal = max(-limits.speed, min(limits.speed, wanted))
    for _ in range(20_000):
        if axis.move(wanted, limits, dt) == goal:
            break
    assert axis.speed == goal
    for _ in range(20):
        assert axis.move(wanted, limits, dt) == goal


@given(limits, positive, st.lists(st.floats(0.001, 0.1), min_size=300, max_size=300))
def test_never_overshoots_from_rest(limits, wanted, dts):
    axis = Axis()
    assert all(axis.move(wanted, limits, dt) <= min(wanted, limits.speed) + LITTLE for dt in dts)


def test_ramps_at_the_acceleration():
    axis, limits = Axis(), AxisLimits(speed=1.0, acceleration=0.5, deceleration=2.0)
    assert [round(axis.move(1.0, limits, 0.1), 6) for _ in range(3)] == [0.05, 0.1, 0.15]
    assert round(axis.move(0.0, limits, 0.05), 6) == 0.05


def test_jerk_rounds_the_ramp():
    axis, limits = Axis(), AxisLimits(speed=1.0, acceleration=0.5, deceleration=0.5, jerk=1.0)
    speeds = [axis.move(1.0, limits, 0.1) for _ in range(3)]
    assert speeds == pytest.approx([0.01, 0.03, 0.06])


def test_no_time_no_change():
    axis, limits = Axis(), AxisLimits(1.0, 1.0, 1.0)
    axis.move(1.0, limits, 0.1)
    assert axis.move(1.0, limits, 0.0) == axis.move(-1.0, limits, -1.0) == pytest.approx(0.1)


def test_a_lowered_limit_is_reached_by_deceleration():
    axis = Axis()
    axis.move(1.0, AxisLimits(1.0, 10.0, 10.0), 0.1)
    lower = AxisLimits(0.5, 10.0, 1.0)
    assert axis.move(1.0, lower, 0.1) == pytest.approx(0.9)
    for _ in range(5):
        axis.move(1.0, lower, 0.1)
    assert axis.speed == 0.5


def test_stop_is_immediate_and_forgets_the_motion():
    params, limiter = ControlParams(max_linear_jerk=1.0), Limiter()
    first = limiter.move(Velocity(1.0, 1.0), params, 0.02)
    for _ in range(20):
        limiter.move(Velocity(1.0, 1.0), params, 0.02)
    assert limiter.stop() == STOP
    assert limiter.move(Velocity(1.0, 1.0), params, 0.02) == first


def test_each_axis_has_its_own_limits():
    params = ControlParams(max_linear_acceleration=0.5, max_angular_acceleration=2.0)
    velocity = Limiter().move(Velocity(1.0, -1.0), params, 0.1)
    assert velocity == Velocity(pytest.approx(0.05), pytest.approx(-0.2))
