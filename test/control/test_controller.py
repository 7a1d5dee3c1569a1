"""The controller as a whole: when the robot moves, and above all when it does not."""

from __future__ import annotations

import dataclasses
import math
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_ai.control.controller import Controller, ControlState
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import NS, ManualClock, SystemClock
from edge_ai.core.types import STOP, Detections, FrameHeader, Result

PARAMS = ControlParams(rate=50.0, max_age=0.25)
PERIOD = 1 / PARAMS.rate
SOMEBODY = [100.0, 100.0, 140.0, 200.0]
IN_THE_WAY = [300.0, 300.0, 400.0, 470.0]


@pytest.fixture
def controller(clock):
    return Controller(PARAMS, clock)


@pytest.fixture
def drive(controller, clock, make_result):
    """Lets the controller follow somebody at full speed; returns the last command."""

    def drive(seconds=2.0):
        for _ in range(round(seconds / PERIOD)):
            clock.advance(PERIOD)
            controller.offer(make_result([SOMEBODY]))
            command = controller.step()
        return command

    return drive


def steps(controller, clock, seconds):
    for _ in range(round(seconds / PERIOD)):
        clock.advance(PERIOD)
        yield controller.step()


def test_stands_still_before_the_first_result(controller):
    command = controller.step()
    assert (command.velocity, command.state, command.reason) == (STOP, ControlState.STALE, "no result yet")
    assert command.age_s is None
    assert command.header is None
    assert command.target is None
    assert (command.commands, command.refused, command.stale) == (1, 0, 0)


def test_follows_somebody_within_the_limits(controller, clock, make_result, drive):
    controller.offer(make_result([SOMEBODY]))
    first = controller.step()
    assert first.state is ControlState.FOLLOWING
    assert 0 < first.velocity.linear <= PARAMS.max_linear_acceleration * PERIOD + 1e-9
    last = drive()
    assert last.velocity.linear == pytest.approx(PARAMS.max_linear_speed)
    assert last.velocity.angular > 0, "somebody on the left is to the left"
    assert last.target.class_name == "person"
    assert last.reason.startswith("following person 0 (0.80): bearing +0.3")
    assert last.age_s == 0


def test_command_carries_the_header_of_its_result(controller, clock, make_result):
    result = make_result([SOMEBODY], age=0.05)
    controller.offer(result)
    clock.advance(0.1)
    command = controller.step()
    assert command.header is result.header
    assert command.age_s == pytest.approx(0.15)


def test_stale_within_max_age_and_one_period(controller, clock, make_result, drive):
    drive()
    result = make_result([SOMEBODY], age=0.1)
    clock.advance(0.001)
    controller.offer(result)
    captured = controller.step().header.steady_ns
    for command in steps(controller, clock, 0.6):
        since = (clock.steady_ns() - captured) / NS
        if since <= PARAMS.max_age:
            assert command.velocity.linear > 0
        if since > PARAMS.max_age:
            assert (command.velocity, command.state) == (STOP, ControlState.STALE)
            assert "limit 0.25 s" in command.reason
            assert command.target is None
            assert command.stale == 1
    assert since > 0.5


def test_a_clock_step_after_arrival_changes_nothing(clock, make_result):
    results = []
    for jump in (0.0, -3600.0, 3600.0):
        controller = Controller(PARAMS, clock)
        controller.offer(make_result([SOMEBODY]))
        clock.step_stamps(jump)
        results.append([(c.velocity, c.state, c.reason, c.age_s) for c in steps(controller, clock, 0.5)])
    assert results[0] == results[1] == results[2]
    assert results[0][-1][1] is ControlState.STALE


def test_a_clock_step_between_results_lets_the_robot_go_on(controller, clock, make_result, drive):
    drive()
    for jump in (-3600.0, 3600.0):
        clock.step_stamps(jump)
        clock.advance(PERIOD)
        controller.offer(make_result([SOMEBODY]))
        command = controller.step()
        assert command.state is ControlState.FOLLOWING
        assert command.refused == 0


def test_recovers_from_stale_with_a_ramp(controller, clock, make_result, drive):
    drive()
    assert [c.state for c in steps(controller, clock, 0.5)][-1] is ControlState.STALE
    controller.offer(make_result([SOMEBODY]))
    clock.advance(PERIOD)
    command = controller.step()
    assert command.state is ControlState.FOLLOWING
    assert 0 < command.velocity.linear <= PARAMS.max_linear_acceleration * PERIOD + 1e-9


def test_a_stopped_robot_is_told_zero_again(controller, clock, drive):
    drive()
    commands = list(steps(controller, clock, 2.0))[-50:]
    assert [c.velocity for c in commands] == [STOP] * 50
    assert [b.commands - a.commands for a, b in pairwise(commands)] == [1] * 49


def test_stale_says_why_nothing_was_accepted(controller, make_result):
    controller.offer(make_result([SOMEBODY], age=5.0))
    command = controller.step()
    assert command.reason == "no result yet; last one refused: 5.000 s old on arrival, limit 0.25 s"
    assert command.refused == 1


def test_malformed_stops_at_once_until_a_good_one(controller, clock, make_result, drive):
    drive()
    clock.advance(PERIOD)
    controller.offer(make_result([[300, 100, float("nan"), 200]]))
    command = controller.step()
    assert (command.velocity, command.state) == (STOP, ControlState.MALFORMED)
    assert "NaN" in command.reason
    assert all(c.state is ControlState.MALFORMED for c in steps(controller, clock, 1.0))
    controller.offer(make_result([SOMEBODY]))
    assert controller.step().state is ControlState.FOLLOWING


def test_late_results_are_refused_without_a_stop(controller, clock, make_result, drive):
    older = make_result([SOMEBODY])
    drive(0.1)
    controller.offer(older)
    command = controller.step()
    assert command.state is ControlState.FOLLOWING
    assert command.refused == 1


def test_nobody_to_follow(controller, clock, make_result, drive):
    drive()
    clock.advance(PERIOD)
    controller.offer(make_result())
    command = controller.step()
    assert (command.velocity, command.state) == (STOP, ControlState.NO_TARGET)
    assert command.reason.startswith("waiting for the one followed")
    assert command.age_s == 0


def test_obstacle_stops_at_once(controller, clock, make_result, drive):
    drive()
    clock.advance(PERIOD)
    controller.offer(make_result([SOMEBODY, IN_THE_WAY], None, [0, 2]))
    command = controller.step()
    assert (command.velocity, command.state) == (STOP, ControlState.OBSTACLE)
    assert command.reason == "chair (0.80) in the stop zone"
    assert command.target.index == 0


def test_emergency_stop_is_latched(controller, clock, make_result, drive):
    drive()
    controller.emergency_stop("button")
    command = drive(0.5)
    assert (command.velocity, command.state) == (STOP, ControlState.EMERGENCY_STOP)
    assert command.reason == "emergency stop: button"
    controller.deactivate()
    controller.activate()
    assert drive(0.5).state is ControlState.EMERGENCY_STOP
    assert controller.reset() == "emergency stop lifted (button)"
    assert controller.step().state is ControlState.STALE, "a result from before must not move it"
    assert drive(0.1).state is ControlState.FOLLOWING
    assert controller.reset() == "no emergency stop to lift"


def test_deactivate_stops_and_takes_nothing_more(controller, drive):
    drive()
    stopped = controller.deactivate()
    assert (stopped.velocity, stopped.state, stopped.reason) == (STOP, ControlState.STALE, "not active")
    assert drive(0.2).velocity == STOP
    controller.activate()
    first = controller.step()
    assert (first.commands, first.refused, first.stale, first.reason) == (1, 0, 0, "no result yet")
    assert drive(0.2).state is ControlState.FOLLOWING


def test_new_parameters_hold_at_once(controller, drive):
    drive()
    controller.update(PARAMS.changed(follow_class="dog"))
    assert drive(0.1).state is ControlState.NO_TARGET
    controller.update(PARAMS.changed(max_linear_speed=0.1))
    assert drive().velocity.linear == pytest.approx(0.1)


def test_a_late_step_makes_no_leap(controller, clock, make_result):
    controller.offer(make_result([SOMEBODY]))
    before = controller.step().velocity.linear
    clock.advance(0.2)
    after = controller.step().velocity.linear
    assert 0 < after - before <= PARAMS.max_linear_acceleration * 2 * PERIOD + 1e-9


def test_an_error_inside_stops_the_robot(controller, clock, make_result, drive, caplog):
    drive()
    broken = dataclasses.replace(make_result([SOMEBODY]).detections, labels=None)
    clock.advance(PERIOD)
    controller.offer(dataclasses.replace(make_result([SOMEBODY]), detections=broken))
    command = controller.step()
    assert (command.velocity, command.state) == (STOP, ControlState.MALFORMED)
    assert "internal error" in command.reason
    assert "the robot stands still" in caplog.text
    assert all(c.velocity == STOP for c in steps(controller, clock, 0.2))
    assert drive(0.1).state is ControlState.FOLLOWING


class DyingClock(ManualClock):
    dead = False

    def steady_ns(self) -> int:
        if self.dead:
            raise OSError("no clock")
        return super().steady_ns()


def test_a_dead_clock_stops_the_robot():
    clock = DyingClock()
    controller = Controller(PARAMS, clock)
    controller.offer(some_result(clock.steady_ns(), [SOMEBODY]))
    assert controller.step().velocity.linear > 0
    clock.dead = True
    command = controller.step()
    assert (command.velocity, command.state) == (STOP, ControlState.MALFORMED)
    assert "no clock" in command.reason


def some_result(captured_ns, boxes, scores=None, classes=None, size=(640, 480)):
    header = FrameHeader(captured_ns, captured_ns, "camera", 0, *size)
    count = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([0.8] * count if scores is None else scores, np.float32),
        np.array([0] * count if classes is None else classes, np.int32),
        ("person", "dog"),
    )
    return Result(header, found, "test", "1")


number = st.one_of(st.floats(-50, 700), st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e30]))
sound = st.builds(lambda x, y, w, h: [x, y, x + w, y + h], *[st.floats(1, 230)] * 4)
boxes = st.lists(st.one_of(sound, sound, sound, st.lists(number, min_size=4, max_size=4)), max_size=4)
moments = st.lists(
    st.tuples(st.floats(0, 0.1), boxes, st.floats(-0.1, 0.4), st.floats(-0.1, 1.1), st.integers(-1, 3)), max_size=25
)
speeds = st.floats(0, 2)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(moments, speeds, speeds, st.sampled_from([0.0, 5.0]), st.booleans())
def test_commands_stay_finite_and_within_limits_whatever_comes(moments, linear, angular, jerk, reverse):
    clock = ManualClock()
    params = PARAMS.changed(
        max_linear_speed=linear,
        max_angular_speed=angular,
        max_linear_jerk=jerk,
        allow_reverse=reverse,
        linear_gain=20.0,
        stop_zone=[0.0, 0.95, 1.0, 1.0],
    )
    controller = Controller(params, clock)
    last = STOP
    for pause, shapes, age, score, kind in moments:
        clock.advance(pause)
        captured = clock.steady_ns() - round(age * NS)
        controller.offer(some_result(captured, shapes, [score] * len(shapes), [kind] * len(shapes)))
        command = controller.step()
        velocity = command.velocity
        assert math.isfinite(velocity.linear)
        assert math.isfinite(velocity.angular)
        assert abs(velocity.linear) <= linear + 1e-9
        assert abs(velocity.angular) <= angular + 1e-9
        assert velocity.linear >= 0 or reverse
        assert (velocity == STOP) or command.state is ControlState.FOLLOWING
        assert velocity.linear - last.linear <= params.max_linear_acceleration * 2 * PERIOD + 1e-9
        if command.age_s is None or command.age_s > params.max_age:
            assert velocity == STOP
        last = velocity


def test_offers_and_steps_from_several_threads():
    clock = SystemClock()
    controller, done, counts = Controller(PARAMS, clock), threading.Event(), []

    def offer():
        while not done.is_set():
            controller.offer(some_result(clock.steady_ns(), [SOMEBODY]))

    def step():
        counts.extend(controller.step().commands for _ in range(300))

    offering = [threading.Thread(target=offer) for _ in range(2)]
    stepping = [threading.Thread(target=step) for _ in range(2)]
    for thread in offering + stepping:
        thread.start()
    for thread in stepping:
        thread.join(30)
    done.set()
    for thread in offering:
        thread.join(30)
    assert sorted(counts) == list(range(1, 601))
    assert not any(thread.is_alive() for thread in offering + stepping)
