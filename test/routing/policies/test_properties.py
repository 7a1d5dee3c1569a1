"""What must hold for every policy, whatever the snapshot: measurements can be missing, absurd or infinite."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_ai.routing.decision import Decision, Link, Load, SideState, Snapshot, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.common import unready
from edge_ai.routing.policy import load_policy, policy_names

POLICIES = {name: load_policy(name) for name in policy_names()}
numbers = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)
sides = st.builds(
    SideState,
    ready=st.booleans(),
    why=st.sampled_from(["", "left alone for 3 s"]),
    expected=numbers,
    spread=numbers,
    p95=numbers,
    age=numbers,
    in_flight=st.integers(0, 6),
)
snapshots = st.builds(
    Snapshot,
    width=st.integers(0, 10_000),
    height=st.integers(0, 10_000),
    camera=st.just("front"),
    priority=st.integers(0, 2),
    age=numbers,
    budget=numbers,
    confidence=numbers,
    edge=sides,
    cloud=sides,
    load=st.builds(Load, cpu=numbers, gpu=numbers, memory=numbers, temperature=numbers),
    link=st.builds(Link, bandwidth=numbers, rtt=numbers, payload=numbers),
    override=st.sampled_from([None, *Where]),
    draw=st.floats(0, 1, exclude_max=True),
)
params = st.builds(
    RouterParams,
    explore=st.floats(0, 0.5),
    max_load=st.floats(0, 1),
    cost_miss=st.floats(0, 100),
    cost_accuracy=st.floats(0, 100),
)


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=150, deadline=None)
@given(snapshot=snapshots, params=params)
def test_a_decision_can_be_carried_out_and_says_why(name, snapshot, params):
    decision = POLICIES[name].decide(snapshot, params)
    assert isinstance(decision, Decision)
    assert decision.reasons
    assert all(decision.reasons)
    if decision.where is not Where.SKIP:
        assert not unready(snapshot, decision.where)
        assert not snapshot.budget <= 0
    hindered = [unready(snapshot, where) for where in (Where.EDGE, Where.CLOUD)]
    wanted = snapshot.override
    if wanted is Where.SKIP or all(hindered) or snapshot.budget <= 0:
        assert decision.where is Where.SKIP
    elif wanted is not None and not unready(snapshot, wanted):
        assert decision.where is wanted
    else:
        assert decision.where is not Where.SKIP
    if snapshot.priority == 2:
        assert not decision.exploring


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=50, deadline=None)
@given(snapshot=snapshots, params=params)
def test_the_same_snapshot_brings_the_same_decision(name, snapshot, params):
    assert POLICIES[name].decide(snapshot, params) == load_policy(name).decide(snapshot, params)


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=50, deadline=None)
@given(snapshot=snapshots, params=params, scores=st.lists(st.floats(0, 1, width=32), max_size=3))
def test_a_second_opinion_is_that_of_a_cloud_that_may_be_asked(name, result, snapshot, params, scores):
    opinion = POLICIES[name].second_opinion(snapshot, params, result(*sorted(scores, reverse=True)))
    if opinion is not None:
        assert opinion.where is Where.CLOUD
        assert opinion.reasons
        assert not unready(snapshot, Where.CLOUD)
