"""Ready is a robot that gives results."""

import pytest

from edge_ai.core.clock import ManualClock
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.readings import Sample


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def health(clock):
    return Health(clock, patience=5.0)


def tell(health, clock, **readings):
    named = {name.replace("__", "/"): value for name, value in readings.items()}
    health.update(Sample(clock.stamp_ns(), clock.steady_ns(), named))


def test_nothing_is_known_at_first(health):
    assert not health.ready
    assert health.reasons == ("nothing has been measured yet",)


def test_a_measured_robot_without_results_is_not_ready(health, clock):
    tell(health, clock, cpu=0.5)
    assert health.reasons == ("no results yet",)
    tell(health, clock, fps=0.0)
    tell(health, clock, fps=float("nan"))
    assert not health.ready


def test_results_make_it_ready(health, clock):
    tell(health, clock, fps=9.5)
    assert health.ready
    assert health.reasons == ()


def test_a_short_silence_is_no_fault_but_a_long_one_is(health, clock):
    tell(health, clock, fps=9.5)
    clock.advance(4)
    tell(health, clock, fps=0.0)
    assert health.ready
    clock.advance(3)
    tell(health, clock, fps=0.0)
    assert health.reasons == ("no results for 7 s",)
    tell(health, clock, fps=1.0)
    assert health.ready


def test_a_monitor_that_went_silent_proves_nothing(health, clock):
    tell(health, clock, fps=9.5)
    clock.advance(60)
    assert "nothing measured for 60 s" in health.reasons


def test_a_step_of_the_wall_clock_changes_nothing(health, clock):
    tell(health, clock, fps=9.5)
    clock.step_stamps(86400)
    assert health.ready


def test_a_critical_node_that_is_down_is_named_and_another_is_not(health, clock):
    tell(health, clock, fps=9.5)
    health.node("camera", "inactive: no such device")
    health.node("dashboard", "gone")
    assert health.reasons == ("camera: inactive: no such device",)
    health.node("camera", "")
    assert health.ready
    health.node("front/camera", "lost")
    assert health.reasons == ("front/camera: lost",)


def test_a_critical_node_that_spoke_and_went_silent_is_named(health, clock):
    tell(health, clock, fps=9.5, control__commands=50.0, front__camera__rate=10.0)
    clock.advance(6)
    tell(health, clock, fps=9.5, front__camera__rate=10.0)
    assert health.reasons == ("control: silent for 6 s",)
