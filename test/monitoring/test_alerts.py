import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.clock import ManualClock
from edge_ai.core.errors import ParameterError
from edge_ai.monitoring.alert import Level
from edge_ai.monitoring.alerts import Alerts
from edge_ai.monitoring.params import MonitorParams
from edge_ai.monitoring.readings import Sample
from edge_ai.monitoring.rules import Rule, own_rules

HEAT = Rule("heat", "temperature", 85, 80, after=2, clear_after=3, level=Level.ERROR)
NAN = math.nan


class Watched:
    """Alerts that are fed a sample a second."""

    def __init__(self, *rules, vanish_after=10.0):
        self.clock = ManualClock()
        self.alerts = Alerts(rules, vanish_after)

    def see(self, *values, metric="temperature", step=1.0, **more):
        """What the values raise and clear, one a second; None stands for a reading that is missing."""
        events = []
        for value in values:
            readings = {**more} if value is None else {metric: value, **more}
            events += self.alerts.look(Sample(self.clock.stamp_ns(), self.clock.steady_ns(), readings))
            self.clock.advance(step)
        return events


@pytest.fixture
def heat():
    return Watched(HEAT)


def test_an_alert_is_raised_once_after_its_duration_and_cleared_once(heat):
    began = heat.clock.stamp_ns() + 1_000_000_000
    (raised,) = heat.see(84, 86, 87, 88, 90, 90, 90)
    assert (raised.name, raised.level, raised.active, raised.value, raised.limit) == ("heat", Level.ERROR, True, 88, 85)
    assert raised.since_ns == began
    assert raised.message == "temperature 88.0 °C is above 85.0 °C"
    assert heat.alerts.active == (raised,)
    (cleared,) = heat.see(79, 79, 79, 78, 77, 76)
    assert (cleared.name, cleared.active, cleared.value) == ("heat", False, 78)
    assert cleared.since_ns == raised.since_ns
    assert not heat.alerts.active


def test_a_spike_shorter_than_the_duration_raises_nothing(heat):
    assert not heat.see(90, 90, 80, 90, 90, 84, 90, 90)


def test_between_the_limit_and_the_hysteresis_nothing_changes(heat):
    heat.see(90, 90, 90)
    assert not heat.see(*[84, 81, 86, 79, 79, 82] * 20)
    assert heat.alerts.active


def test_a_limit_may_be_the_least_value_allowed():
    slow = Watched(Rule("fps", "fps_share", 0.8, 0.84, below=True, after=1, clear_after=1))
    (raised,) = slow.see(1, 0.7, 0.6, metric="fps_share", fps=12.0)
    assert raised.message == "fps_share 60 % is below 80 % of the target: 12.0 results/s"
    assert not slow.see(0.82, 0.83, 0.82, metric="fps_share")
    assert [event.active for event in slow.see(0.9, 0.9, metric="fps_share")] == [False]


@pytest.mark.parametrize("gone", [None, NAN])
def test_a_value_that_vanishes_neither_raises_nor_clears_and_after_a_while_ends_the_alert_with_that_reason(heat, gone):
    assert not heat.see(90, 90, gone, 90, 90)
    assert len(heat.see(90, 90)) == 1
    assert not heat.see(*[gone] * 9)
    (cleared,) = heat.see(*[gone] * 20)
    assert not cleared.active
    assert math.isnan(cleared.value)
    assert "cannot be read for 10 s" in cleared.message
    assert heat.alerts.standings()["heat"].well_since_ns is None


def test_a_step_of_the_wall_clock_changes_no_duration(heat):
    assert not heat.see(90)
    heat.clock.step_stamps(3600)
    assert not heat.see(90)
    heat.clock.step_stamps(-7200)
    assert len(heat.see(90)) == 1


def test_an_alert_whose_rule_is_switched_off_ends(heat):
    (raised,) = heat.see(90, 90, 90)
    heat.alerts.update([], 10)
    (cleared,) = heat.see(90)
    assert (cleared.name, cleared.active, cleared.since_ns) == ("heat", False, raised.since_ns)
    assert "switched off" in cleared.message
    assert not heat.see(90, 90, 90)


def test_another_limit_holds_at_once_and_raises_nothing_twice(heat):
    heat.see(90, 90, 90)
    heat.alerts.update([Rule("heat", "temperature", 70, 65, after=2, clear_after=3)], 10)
    assert not heat.see(90, 90, 72, 71)
    assert [event.active for event in heat.see(60, 60, 60, 60)] == [False]


@given(st.lists(st.one_of(st.floats(60, 100), st.none()), max_size=80), st.sampled_from([0.5, 1.0, 3.0]))
def test_whatever_is_read_each_alert_is_raised_and_cleared_in_turn(values, step):
    heat = Watched(HEAT)
    events = heat.see(*values, step=step)
    assert [event.active for event in events] == [index % 2 == 0 for index in range(len(events))]
    assert bool(heat.alerts.active) == (len(events) % 2 == 1)


def test_a_monitors_own_rules_follow_its_parameters():
    rules = {rule.name: rule for rule in own_rules(MonitorParams())}
    assert {name: rule.limit for name, rule in rules.items()} == {
        "cpu": 0.90,
        "memory": 0.85,
        "gpu": 0.95,
        "temperature": 85,
        "fps": pytest.approx(0.8),
    }
    assert rules["temperature"].clear == pytest.approx(80.75)
    assert rules["fps"].clear == pytest.approx(0.84)
    assert rules["temperature"].level == Level.ERROR
    assert rules["cpu"].level == Level.WARN
    some = own_rules(MonitorParams(alert_gpu=0.0, alert_cpu=0.5, alert_errors=["cpu"], alert_after=7.0))
    assert "gpu" not in {rule.name for rule in some}
    assert (some[0].name, some[0].limit, some[0].level, some[0].after) == ("cpu", 0.5, Level.ERROR, 7)


def test_a_rate_that_must_be_met_in_full_can_be_met_by_a_camera_that_gives_no_more():
    (fps,) = (rule for rule in own_rules(MonitorParams(alert_fps=0.0)) if rule.name == "fps")
    assert fps.well(1.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"alert_errors": ["heat"]}, "heat"),
        ({"pinned": ["a"], "vetoed": ["b", "a"]}, "not both"),
        ({"period": 0.1, "history": 86400.0}, "36000"),
        ({"alert_cpu": 1.5}, "alert_cpu"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(values, words):
    with pytest.raises(ParameterError, match=words):
        MonitorParams.parse(values)
