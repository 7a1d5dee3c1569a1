"""What a report says."""

import json

import pytest

from edge_ai.evaluation.compare import Comparison, Estimate
from edge_ai.optimization.judging.budget import Budget
from edge_ai.optimization.judging.measure import Measured
from edge_ai.optimization.judging.trial import Job, Judged, Trial, Variant
from edge_ai.optimization.results import pareto, report_data
from edge_ai.processing.card import ModelCard


def judged(name, accuracy, ms, size):
    estimate = Estimate(accuracy, accuracy, accuracy)
    comparison = Comparison("AP50-95", estimate, estimate, Estimate(0, 0, 0), (), {}, 1, False)
    return Judged(Variant(name, "fp32", None), comparison, Measured(name, size, [[ms / 1e3]] * 3, [0.1]), None)


def test_the_pareto_set_holds_what_nothing_beats():
    original = judged("original", 0.80, 10, 100)
    fast = judged("fast", 0.79, 5, 30)
    slower_and_worse = judged("dominated", 0.78, 6, 30)
    small = judged("small", 0.79, 12, 20)
    assert pareto([original, fast, slower_and_worse, small]) == {"original", "fast", "small"}
    twins = [judged("a", 0.8, 10, 100), judged("b", 0.8, 10, 100)]
    assert pareto(twins) == {"a", "b"}


@pytest.fixture(scope="module")
def data(colour_data):
    card, pictures, labels = colour_data
    job = Job(ModelCard.load(card), str(pictures), labels, Budget(), rounds=3)
    trial = Trial(job)
    return report_data("Title", "edge-ai test", trial, trial.judge([Variant("twin", "fp32", job.card)]))


def test_it_is_json_with_every_figure(data):
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    original, twin = data["variants"]
    assert original["loss"] is None
    assert twin["loss"] == {"value": 0, "low": 0, "high": 0}
    assert twin["speedup"]["low"] <= twin["speedup"]["value"] <= twin["speedup"]["high"]
    assert (twin["flops"], twin["parameters"]) == (original["flops"], original["parameters"])
    assert original["flops"] > 0
    assert data["verdict"] == {"shipped": twin["shipped"], "reasons": twin["reasons"], "variant": "twin"}
    assert data["goals"][0]["name"] == "top-1 loss"
    assert data["machine"]["onnxruntime"]
