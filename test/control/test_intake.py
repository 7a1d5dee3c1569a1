from __future__ import annotations

import dataclasses

import pytest

from edge_ai.control.intake import Intake
from edge_ai.control.params import ControlParams

PARAMS = ControlParams()
BOX = [10.0, 10.0, 50.0, 100.0]


@pytest.fixture
def intake():
    return Intake()


def test_accepts_and_ages(intake, clock, make_result):
    result = make_result([BOX], age=0.1)
    intake.offer(result, PARAMS, clock.steady_ns())
    assert intake.result is result
    assert intake.age(clock.steady_ns()) == pytest.approx(0.1)
    assert intake.refused == 0


def test_refuses_what_is_too_old_without_calling_it_malformed(intake, clock, make_result):
    intake.offer(make_result([BOX], age=0.3), PARAMS, clock.steady_ns())
    assert intake.result is None
    assert intake.refused == 1
    assert intake.refusal == "0.300 s old on arrival, limit 0.25 s"
    assert intake.malformed == ""


def test_refuses_what_is_out_of_order_and_keeps_the_newer(intake, clock, make_result):
    older = make_result([BOX])
    clock.advance(0.05)
    newer = make_result([BOX])
    for result in (newer, older, newer):
        intake.offer(result, PARAMS, clock.steady_ns())
    assert intake.result is newer
    assert intake.refused == 2
    assert "before one already here" in intake.refusal
    assert intake.malformed == ""


def test_the_future_is_malformed_beyond_the_tolerance(intake, clock, make_result):
    intake.offer(make_result([BOX], age=-0.04), PARAMS, clock.steady_ns())
    assert intake.refused == 0
    assert intake.age(clock.steady_ns()) == 0
    intake.offer(make_result([BOX], age=-0.06), PARAMS, clock.steady_ns())
    assert intake.malformed == intake.refusal == "captured 0.060 s in the future: check the clocks"


def test_malformed_until_a_good_one_comes(intake, clock, make_result):
    intake.offer(make_result([BOX], [2.0]), PARAMS, clock.steady_ns())
    assert "scores" in intake.malformed
    clock.advance(0.01)
    intake.offer(make_result([BOX], age=0.3), PARAMS, clock.steady_ns())
    assert "scores" in intake.malformed, "an old one is no good one"
    intake.offer(make_result([BOX]), PARAMS, clock.steady_ns())
    assert intake.malformed == intake.refusal == ""
    assert intake.refused == 2


def test_what_cannot_even_be_read_is_malformed(intake, clock, make_result):
    intake.offer(dataclasses.replace(make_result(), detections=None), PARAMS, clock.steady_ns())
    assert "cannot be read" in intake.malformed
    assert intake.refused == 1


def test_forgetting_keeps_the_order(intake, clock, make_result):
    result = make_result([BOX])
    intake.offer(result, PARAMS, clock.steady_ns())
    intake.forget()
    assert intake.result is None
    assert not intake.fresh(PARAMS, clock.steady_ns())
    intake.offer(result, PARAMS, clock.steady_ns())
    assert intake.result is None
