"""The topic: its parts, how it tells of those that fail, and what a few of its own figures mean."""

from pathlib import Path

import pytest

from benchmarks.topic import Context, MeasurementError, Report
from benchmarks.watch import always_on, measure, sampling


def context(*parts, said=None):
    return Context(True, Path("."), (said if said is not None else []).append, parts=parts)


def test_a_part_that_fails_leaves_its_goals_unmeasured(monkeypatch):
    def fail(context, report):
        raise MeasurementError("no robot")

    monkeypatch.setattr(always_on, "measure", fail)
    report = Report()
    measure.measure(context("always_on", "nothing"), report)
    assert report.failures == ["always_on: no robot", "nothing: there is no such part"]
    assert {goal.value for goal in report.goals} == {None}


def test_statistics_that_are_always_on_are_measured():
    report = Report()
    values = always_on.measure(context(), report)
    assert set(values) == set(always_on.GOALS)
    assert values["cost"] > 0
    assert report.results["always_on"]["percent_of_a_core"] == values["cost"]


def turn(results, cpu=1.0, others=0.0):
    return {"results": results, "seconds": 2.0, "cpu_s": cpu, "others_cores": others, "message": ""}


def test_pairs_of_turns_are_compared_with_each_other_and_calm_ones_count():
    pairs = [(turn(100), turn(99, 1.01))] * 6 + [(turn(100), turn(50, others=1.5))]
    found = sampling.judged(pairs)
    assert found["slowdown_percent"] == pytest.approx(1)
    assert found["processor_percent"] == pytest.approx(100 * (1.01 / 99 * 100 - 1))
    assert found["results_per_s"] == 50
    assert len(found["others_cores_by_round"]) == 7


def test_a_robot_that_gives_nothing_is_no_measurement():
    with pytest.raises(MeasurementError, match="no results"):
        sampling.judged([(turn(10), turn(0))])
