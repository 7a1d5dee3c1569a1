"""Limits and windows from figures."""

import json

import pytest

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.canary.evaluation import Evaluation, check_limits, windows
from edge_ai.deployment.judge.judge import Counts, Window

LATENCY = Criterion(name="latency", query="x{$group}", limit=0.1)
ERRORS = Criterion(name="errors", bad="x{$group}", total="y{$group}", limit=0.01, least=100)
SHADOW = Criterion(name="shadow", query="x{$group}", against="y{$group}")
CPU = Criterion(name="cpu", query="x{$group}", limit=0.8, compared=False)


def latencies(**robots):
    return Evaluation({"latency": {robot: (value,) for robot, value in robots.items()}})


def errors(*counts):
    return [Evaluation({"errors": {"a": count}} if count else {}) for count in counts]


def test_one_robot_beyond_its_limit_is_enough_and_is_named():
    check = check_limits([LATENCY], [latencies(a=0.05, b=0.2, c=0.3)], ["a", "b", "c"])
    assert check.breached == ("latency 0.3 > 0.1 on c, b",)
    assert check.unknown == ()


def test_a_robot_without_a_figure_is_named_and_the_others_still_count():
    check = check_limits([LATENCY], [latencies(b=0.2)], ["a", "b"])
    assert check.breached == ("latency 0.2 > 0.1 on b",)
    assert check.unknown == ("latency: no figures of a",)


def test_a_value_at_its_limit_will_do():
    assert check_limits([LATENCY], [latencies(a=0.1)], ["a"]) == check_limits([], [latencies()], [])


def test_many_robots_are_counted():
    silent = [f"r{number}" for number in range(9)]
    check = check_limits([LATENCY], [latencies()], silent)
    assert check.unknown == ("latency: no figures of r0, r1, r2, r3, r4 and 4 more",)


@pytest.mark.parametrize(
    ("counts", "breached", "unknown"),
    [
        ([(0.0, 1000.0)], False, False),
        ([(11.0, 1000.0)], True, False),
        ([(10.0, 1000.0)], False, False),
        ([(1.0, 20.0)], False, True),  # one of twenty is 5 %, and means nothing yet
        ([(1.0, 60.0), (1.0, 60.0)], True, False),
        ([(50.0, 1000.0), (0.0, 1000.0)], False, False),  # long ago
        ([(0.0, 1000.0), (0.0, 0.0)], False, True),  # no traffic any more
        ([(0.0, 0.0)], False, True),
        ([None], False, True),
        ([(0.0, 60.0), None, (0.0, 60.0)], False, False),
    ],
)
def test_shares_are_of_the_newest_events_and_of_enough_of_them(counts, breached, unknown):
    check = check_limits([ERRORS], errors(*counts), ["a"])
    assert (bool(check.breached), bool(check.unknown)) == (breached, unknown)


def test_too_few_events_are_told_from_no_figures():
    assert check_limits([ERRORS], errors((0.0, 5.0)), ["a"]).unknown == ("errors: fewer than 100 events of a",)
    assert check_limits([ERRORS], errors(None), ["a"]).unknown == ("errors: no figures of a",)


def test_what_could_not_be_asked_is_unknown_with_its_reason_and_a_breach_beside_it_counts():
    evaluation = Evaluation({"latency": {"a": (0.2,)}}, faults={"latency": "Prometheus: no answer"})
    check = check_limits([LATENCY], [evaluation], ["a"])
    assert check.unknown == ("latency: Prometheus: no answer",)
    assert check.breached


def test_the_judge_is_told_of_both_groups():
    evaluation = Evaluation(
        {"latency": {"a": (0.1,)}, "errors": {"a": (1.2, 50.0)}},
        {"latency": {"b": (0.2,), "c": (0.3,)}, "errors": {"b": (1.4, 60.0), "c": (1.4, 40.0)}},
    )
    assert list(windows([LATENCY, ERRORS], evaluation)) == [
        Window("latency", [0.2, 0.3], [0.1], []),
        Window("errors", Counts(3, 100), Counts(1, 50)),
    ]


def test_a_group_without_figures_is_told_as_empty():
    assert list(windows([LATENCY, ERRORS], Evaluation({"latency": {"a": (0.1,)}}))) == [
        Window("latency", [], [0.1], []),
        Window("errors", Counts(0, 0), Counts(0, 0)),
    ]


def test_a_shadow_run_is_told_in_pairs_of_the_same_robot():
    evaluation = Evaluation({"shadow": {"a": (0.1,), "b": (0.4,)}}, {"shadow": {"b": (0.3,), "a": (0.2,)}})
    (window,) = windows([SHADOW], evaluation)
    assert window.paired == [(0.2, 0.1), (0.3, 0.4)]


def test_a_journal_gives_back_what_it_was_told():
    evaluation = Evaluation({"errors": {"a": (1.0, 50.0)}}, {"cpu": {"b": (0.1,)}}, {"x": "gone"})
    assert Evaluation.of_facts(json.loads(json.dumps(evaluation.as_facts()))) == evaluation
