"""What the judge is told, and what a journal keeps."""

import json

from edge_ai.deployment.canary.criteria import Criterion
from edge_ai.deployment.canary.evaluation import Evaluation, windows
from edge_ai.deployment.judge.judge import Counts, Window

LATENCY = Criterion(name="latency", query="x{$group}", limit=0.1)
ERRORS = Criterion(name="errors", bad="x{$group}", total="y{$group}", limit=0.01)
SHADOW = Criterion(name="shadow", query="x{$group}", against="y{$group}")


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
