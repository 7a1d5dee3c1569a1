import itertools
import math

import pytest

from edge_ai.routing.decision import Link, SideState, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.cost import CostPolicy, cloud_cost, edge_cost, terms

PARAMS = RouterParams(policy="cost")
LATENCY = PARAMS.changed(cost_energy=0.0, cost_bandwidth=0.0, cost_accuracy=0.0)
COST = CostPolicy()


def decisions(snapshot, params=PARAMS, **changes):
    return [COST.decide(snapshot(draw=(i + 0.5) / 1000, **changes), params) for i in range(1000)]


def share(snapshot, params=PARAMS, **changes):
    """Of the frames in this state, those that go to the cloud."""
    return sum(one.where is Where.CLOUD for one in decisions(snapshot, params, **changes)) / 1000


def test_the_quicker_side_is_asked(snapshot, side):
    assert share(snapshot, edge=side(0.03), cloud=side(0.06)) == 0
    assert share(snapshot, edge=side(0.09), cloud=side(0.04)) == 1


def test_the_reason_has_the_costs_of_both(snapshot, side):
    decision = COST.decide(snapshot(edge=side(0.03), cloud=side(0.06)), LATENCY)
    assert decision.reasons == ("cost 0.030 (30 ms, 0 % late) against 0.060 of the cloud (60 ms, 0 % late)",)


def test_costs_are_the_weighted_sum_of_what_is_expected(snapshot, side):
    params = RouterParams(cost_latency=2, cost_energy=3, cost_bandwidth=5, cost_accuracy=7, cost_miss=11)
    params = params.changed(edge_energy=0.5, cloud_energy=4.0, edge_accuracy=0.4, cloud_accuracy=0.6)
    seen = snapshot(edge=side(0.2, 0.05), cloud=side(0.06), link=Link(1e6, 0.01, 100_000), budget=0.2)
    fixed = terms(seen, params)
    assert edge_cost(seen, params, fixed).total == pytest.approx(2 * 0.2 + 3 * 0.5 + 7 * 0.2 + 11 * 0.5)
    assert cloud_cost(seen, params, fixed).total == pytest.approx(2 * 0.06 + 5 * 0.1 + 3 * 4.0 * 0.1 + 11 * 0.02)


def test_a_better_model_a_dear_link_and_a_dear_inference_turn_the_scales(snapshot, side):
    even = {"edge": side(0.05), "cloud": side(0.05)}
    assert share(snapshot, PARAMS.changed(cloud_accuracy=0.7), **even) == 1
    assert share(snapshot, PARAMS.changed(cost_bandwidth=2.0), **even) == 0
    assert share(snapshot, PARAMS.changed(edge_energy=10.0), **even) == 1


def test_what_both_models_lack_does_not_blur_the_difference_of_their_latencies(snapshot, side):
    both = PARAMS.changed(edge_accuracy=0.1, cloud_accuracy=0.1)
    assert share(snapshot, both, edge=side(0.09), cloud=side(0.04)) == 1


def test_a_side_that_often_misses_the_deadline_is_not_asked_however_quick_on_average(snapshot, side):
    assert share(snapshot, cloud=side(0.02, 0.001)) == 1
    assert share(snapshot, cloud=side(0.02, 0.15)) == 0


def test_a_cloud_that_the_edge_cannot_stand_in_for_bears_the_risk_of_a_stall(snapshot, side):
    slow = side(0.15, 0.01)
    assert share(snapshot, LATENCY, edge=slow, cloud=side(0.1, 0.001), budget=0.5) == 1
    seen = snapshot(edge=slow, cloud=side(0.1, 0.001), budget=0.25)
    assert cloud_cost(seen, LATENCY, terms(seen, LATENCY)).misses == pytest.approx(0.02)
    assert share(snapshot, LATENCY.changed(cost_miss=10.0), edge=slow, cloud=side(0.1, 0.001), budget=0.25) == 0


def test_requests_under_way_count(snapshot, side):
    assert share(snapshot, edge=side(0.04, in_flight=2), cloud=side(0.06)) == 1
    thin = Link(1e6, 0.01, 40_000)
    assert share(snapshot, edge=side(0.08), cloud=side(0.05), link=thin) == 1
    assert share(snapshot, edge=side(0.08), cloud=side(0.05, in_flight=3), link=thin) == 0


def test_frames_are_shared_out_where_costs_are_about_the_same(snapshot, side):
    even = {"edge": side(0.1, 0.001), "budget": 0.5}
    shares = [share(snapshot, LATENCY, cloud=side(0.1 + ms / 1000), **even) for ms in range(-11, 12)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1
    assert shares[11] == pytest.approx(0.5, abs=0.01)
    assert shares[-1] == 0
    assert max(a - b for a, b in itertools.pairwise(shares)) < 0.1


def test_a_side_unknown_is_tried_beside_the_other(snapshot, side):
    trials = [one for one in decisions(snapshot, cloud=SideState(), link=Link()) if one.where is Where.CLOUD]
    assert len(trials) == 100  # five times the usual share
    assert all(one.exploring for one in trials)
    assert "to see how quick the cloud is" in trials[0].words


def test_no_frame_is_staked_on_a_cloud_that_nothing_is_known_of(snapshot, side):
    for edge in (side(0.03), side(0.5, age=9.0), SideState()):
        seen = {(one.where, one.exploring) for one in decisions(snapshot, edge=edge, cloud=SideState(), link=Link())}
        assert seen <= {(Where.EDGE, False), (Where.CLOUD, True)}


def test_a_fresh_estimate_is_not_tried(snapshot, side):
    assert not any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=1.0)))


def test_an_old_estimate_is_tried_once_the_side_may_have_become_better(snapshot, side):
    blind = {"link": Link()}
    assert not any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=3.0), **blind))
    assert any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=12.0), **blind))


def test_a_link_that_is_well_again_brings_a_trial_sooner(snapshot, side):
    well = Link(bandwidth=10e6, rtt=0.01, payload=40_000)
    assert any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=3.0), link=well))
    far = Link(bandwidth=10e6, rtt=0.1, payload=40_000)
    assert not any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=100.0), link=far))


def test_no_trial_that_could_not_matter(snapshot, side):
    dear = PARAMS.changed(cost_bandwidth=10.0)
    assert not any(one.exploring for one in decisions(snapshot, dear, cloud=side(0.01, age=100.0)))


def test_one_trial_at_a_time_none_of_high_priority_and_none_where_none_is_wanted(snapshot, side):
    old = side(0.3, age=100.0)
    assert any(one.exploring for one in decisions(snapshot, cloud=old))
    assert not any(one.exploring for one in decisions(snapshot, cloud=side(0.3, age=100.0, in_flight=1)))
    assert not any(one.exploring for one in decisions(snapshot, cloud=old, priority=2))
    assert not any(one.exploring for one in decisions(snapshot, PARAMS.changed(explore=0.0), cloud=old))


def test_the_edge_is_tried_too(snapshot, side):
    trials = [one for one in decisions(snapshot, edge=side(0.15, age=20.0), cloud=side(0.06)) if one.exploring]
    assert {one.where for one in trials} == {Where.EDGE}


def test_with_nothing_known_at_all_the_edge_comes_first(snapshot):
    decision = COST.decide(snapshot(edge=SideState(), cloud=SideState(), link=Link(), draw=0.9), PARAMS)
    assert decision.where is Where.EDGE
    assert math.isfinite(edge_cost(snapshot(edge=SideState()), PARAMS, terms(snapshot(), PARAMS)).total)


def test_no_second_opinion(snapshot, result):
    assert COST.second_opinion(snapshot(), PARAMS, result()) is None
