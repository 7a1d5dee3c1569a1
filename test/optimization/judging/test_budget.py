"""The gate of the workshop."""

import math

import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.evaluation.budget import Budget
from edge_ai.evaluation.compare import ClassScore, Comparison, Estimate
from edge_ai.optimization.judging.budget import judge
from edge_ai.optimization.judging.measure import Measured


def comparison(loss=0.0, low=None, high=None, classes=(), agreement=False, before=0.8, pictures=53):
    low, high = loss if low is None else low, loss if high is None else high
    same = Estimate(before, before - 0.1, before + 0.1)
    return Comparison("AP50-95", same, same, Estimate(loss, low, high), tuple(classes), {}, pictures, agreement)


def ran(ms, size=100, energy=()):
    return Measured("", size, [[ms / 1e3] * 5] * 6, [ms / 1e3] * 6, list(energy))


def test_accurate_and_faster_is_shipped():
    decision = judge(Budget(), comparison(0.005), ran(10), ran(6))
    assert decision.shipped
    assert all(goal.met for goal in decision.goals)


def test_a_loss_beyond_the_budget_is_refused_with_both_numbers():
    decision = judge(Budget(max_loss=0.01), comparison(0.02), ran(10), ran(6))
    assert not decision.shipped
    assert decision.reasons == ("AP50-95 loss: 0.02, at most 0.01 wanted",)


@pytest.mark.parametrize(("after", "shipped"), [(ran(10), False), (ran(10, size=97), True), (ran(9.5), True)])
def test_what_gains_nothing_is_refused(after, shipped):
    decision = judge(Budget(), comparison(-0.1), ran(10), after)
    assert decision.shipped is shipped
    assert shipped or "gain in" in decision.reasons[0]


def test_thrift_counts_where_energy_is_measured():
    assert judge(Budget(), comparison(), ran(10, energy=[2.0] * 6), ran(11, energy=[1.0] * 6)).shipped


def test_a_noisy_meter_is_no_gain():
    noisy = [1.0, 0.9, 1.1, 0.95, 1.05, 0.85]
    assert not judge(Budget(), comparison(), ran(10, energy=[1.0] * 6), ran(11, energy=noisy)).shipped


def test_who_has_nothing_to_lose_proves_nothing():
    decision = judge(Budget(), comparison(0.0, before=0.001), ran(10), ran(1))
    assert not decision.shipped
    assert decision.reasons == ("AP50-95 of the original: 0.001, at least 0.05 wanted",)


def test_a_handful_of_pictures_proves_nothing():
    decision = judge(Budget(), comparison(0.0, pictures=5), ran(10), ran(1))
    assert not decision.shipped
    assert "pictures judged on: 5" in decision.reasons[0]


def test_one_common_class_among_rare_ones_has_its_floor():
    classes = [ClassScore("person", 0.9, 0.7, 500), ClassScore("cat", 0.5, 0.68, 3)]
    assert not judge(Budget(), comparison(0.01, classes=classes), ran(10), ran(6)).shipped


def test_slower_is_said():
    decision = judge(Budget(), comparison(), ran(10), ran(20, size=50))
    assert decision.shipped
    assert any("slower than the original here: 0.50" in warning for warning in decision.warnings)


def test_speed_within_noise_is_no_gain():
    noisy = Measured("", 100, [[0.001 * ms] for ms in (7, 13, 8, 12, 9, 13)], [0.01] * 6)
    assert not judge(Budget(), comparison(), ran(10), noisy).shipped


def test_a_class_with_enough_labels_has_a_floor_of_its_own():
    rare = ClassScore("rare", 0.9, 0.1, 3)
    common = ClassScore("common", 0.9, 0.7, 40)
    steady = ClassScore("steady", 0.9, 0.9, 400)
    refused = comparison(0.001, classes=[rare, common, steady])
    decision = judge(Budget(), refused, ran(10), ran(6))
    assert not decision.shipped
    assert "'common'" in decision.reasons[0]
    assert not Budget().holds(refused)
    assert Budget().holds(comparison(0.001, classes=[rare, steady]))


def test_the_upper_end_counts_only_where_it_is_asked_for():
    found = comparison(0.005, high=0.03)
    plain = judge(Budget(), found, ran(10), ran(6))
    assert plain.shipped
    assert "may be up to 0.0300" in " ".join(plain.warnings)
    assert not judge(Budget(sure=True), found, ran(10), ran(6)).shipped


def test_a_loss_that_is_no_number_is_refused():
    assert not judge(Budget(), comparison(math.nan), ran(10), ran(6)).shipped


def test_agreement_is_said():
    assert "no labels" in judge(Budget(), comparison(agreement=True), ran(10), ran(6)).warnings[0]


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
def test_budgets_out_of_range_are_refused(value):
    with pytest.raises(ParameterError, match="--max-ap-loss"):
        Budget(max_loss=value)
