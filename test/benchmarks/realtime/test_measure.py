"""The topic with parts that do not run or are not there."""

import pytest

from benchmarks.goals import Goal
from benchmarks.realtime import limit, measure
from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import Context, MeasurementError, Report


@pytest.fixture(name="run")
def _run(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "find_video", lambda say: SYNTHETIC)

    def run(*parts):
        report = Report()
        measure.measure(Context(True, tmp_path, print, parts=parts), report)
        return report

    return run


def test_a_part_that_is_not_there_is_told_and_the_others_go_on(run, monkeypatch):
    monkeypatch.setattr(limit, "GOALS", {"g": Goal("g", None, 1.0, "lower")})
    monkeypatch.setattr(limit, "measure", lambda bench: {"g": 0.5})
    report = run("nonsense", "limit")
    assert report.failures == ["nonsense: there is no such part"]
    assert [goal.met for goal in report.goals] == [True]
    assert report.draw is not None


def test_a_part_that_fails_leaves_its_goals_unmeasured(run, monkeypatch):
    def fail(_bench):
        raise MeasurementError("the node died")

    monkeypatch.setattr(limit, "GOALS", {"g": Goal("g", None, 1.0, "lower")})
    monkeypatch.setattr(limit, "measure", fail)
    report = run("limit")
    assert report.failures == ["limit: the node died"]
    assert [goal.value for goal in report.goals] == [None]


def test_the_topic_has_limits_of_its_own(run, monkeypatch):
    seen = []
    monkeypatch.setattr(limit, "measure", lambda bench: seen.append(bench.context.limit) or {})
    run("limit")
    assert seen == [300]
