import math

import pytest

from edge_ai.routing.decision import SideState, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import miss, settled
from edge_ai.routing.policy import load_policy, policy_names

PARAMS = RouterParams()
DOWN = SideState(ready=False, why="left alone for 3 s")


@pytest.fixture(params=["rules", "adaptive", "cost"])
def policy(request):
    return load_policy(request.param)


@pytest.mark.parametrize("wanted", [Where.EDGE, Where.CLOUD])
def test_the_operator_decides_where_the_side_is_ready(policy, snapshot, wanted):
    decision = policy.decide(snapshot(override=wanted), PARAMS)
    assert decision.where is wanted
    assert f"operator wants the {wanted.value}" in decision.words


def test_what_the_operator_wants_of_a_side_that_is_not_ready_the_other_does(policy, snapshot):
    decision = policy.decide(snapshot(override=Where.CLOUD, cloud=DOWN), PARAMS)
    assert decision.where is Where.EDGE
    assert "left alone for 3 s" in decision.reasons[0]
    assert "operator wants the cloud" in decision.words


def test_the_operator_can_have_frames_skipped(policy, snapshot):
    decision = policy.decide(snapshot(override=Where.SKIP), PARAMS)
    assert decision.where is Where.SKIP
    assert "operator" in decision.words


def test_with_one_side_gone_the_other_is_asked_and_told_why(policy, snapshot):
    for gone, left in (("cloud", Where.EDGE), ("edge", Where.CLOUD)):
        decision = policy.decide(snapshot(**{gone: DOWN}, width=4000, height=3000), PARAMS)
        assert decision.where is left
        assert decision.reasons == (f"the {gone} is not ready: left alone for 3 s",)


def test_with_both_sides_gone_the_frame_is_skipped_for_both_reasons(policy, snapshot):
    decision = policy.decide(snapshot(edge=SideState(ready=False, why="no engine"), cloud=DOWN), PARAMS)
    assert decision.where is Where.SKIP
    assert "no engine" in decision.words
    assert "left alone" in decision.words


@pytest.mark.parametrize("budget", [0.0, -0.1])
def test_a_frame_that_is_too_old_is_skipped(policy, snapshot, budget):
    decision = policy.decide(snapshot(budget=budget, age=0.312), PARAMS)
    assert decision.where is Where.SKIP
    assert "312 ms after its capture" in decision.words


def test_every_policy_of_its_own_has_settled_first(snapshot):
    assert set(policy_names()) >= {"rules", "adaptive", "cost"}
    assert settled(snapshot()) is None


@pytest.mark.parametrize(("budget", "expected"), [(0.1, 0.5), (0.12, 0.1587), (0.08, 0.8413), (1.0, 0.0), (-1.0, 1.0)])
def test_a_miss_is_the_tail_of_a_normal_distribution(budget, expected):
    assert miss(0.1, 0.02, budget) == pytest.approx(expected, abs=1e-4)


def test_without_knowledge_or_deadline_no_miss_is_expected():
    assert miss(math.nan, 0.1, 0.2) == 0
    assert miss(0.1, 0.1, math.inf) == 0
    assert miss(0.1, math.nan, 0.2) == pytest.approx(0)
