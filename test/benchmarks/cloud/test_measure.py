"""The topic: its parts, and how it tells of those that fail."""

from pathlib import Path

import pytest

from benchmarks.cloud import decision, measure
from benchmarks.cloud.failover import _Seen
from benchmarks.topic import Context, MeasurementError, Report
from edge_ai.core.clock import NS
from edge_ai.routing.policy import policy_names


def context(*parts):
    return Context(True, Path("."), lambda text: None, parts=parts)


def test_a_part_that_fails_leaves_its_goals_unmeasured(monkeypatch):
    def fail(context, report):
        raise MeasurementError("no server")

    monkeypatch.setattr(decision, "measure", fail)
    report = Report()
    measure.measure(context("decision", "nothing"), report)
    assert report.failures == ["decision: no server", "nothing: there is no such part"]
    assert [goal.value for goal in report.goals] == [None]


@pytest.mark.parametrize("policy", policy_names())
def test_decisions_are_timed(policy):
    seconds = decision.durations(policy, 100)
    assert len(seconds) == 90
    assert all(0 < value < 1 for value in seconds)


def test_what_was_lost_and_when_local_results_resumed():
    seen = _Seen(frames=[i * NS for i in range(10)])
    seen.results = {0: (NS // 10, "grpc://x"), 2 * NS: (2 * NS + NS // 2, "edge"), 3 * NS: (4 * NS, "edge")}
    assert seen.lost(0, 2 * NS) == 1
    assert seen.lost(2 * NS, 4 * NS) == 0
    assert seen.local_after(NS) == 1.5
    assert seen.local_after(5 * NS) == float("inf")
    assert seen.rate(2 * NS, 5 * NS) == pytest.approx(2 / 3)
    assert not seen.in_cloud(2)
    assert _Seen(results={1: (2, "grpc://x"), 3: (4, "grpc://x")}).in_cloud(2)
