"""Replays on simulated time, and what they cost."""

import math

import numpy as np
import pytest

from benchmarks.cloud.regret import Costs, judge
from benchmarks.cloud.replay import alone, replay
from benchmarks.cloud.traces import Trace, generate
from edge_ai.routing.params import RouterParams


def steady(count=200, *, edge=0.03, rtt=0.001, transfer=0.004, service=0.01, period=0.1):
    return Trace("steady", period, 40_000.0, *(np.full(count, value) for value in (edge, rtt, transfer, service)))


def params(**values):
    return RouterParams(**{"policy": "cost", "deadline": 0.25, **values})


def test_the_edge_alone_answers_each_frame_as_the_trace_says():
    trace = generate("LAN", 1, seconds=30)
    found = alone(trace, "edge", params())
    np.testing.assert_allclose([one.seconds for one in found.frames], trace.edge, atol=1e-8)
    assert found.share("edge") == 1


def test_the_cloud_alone_misses_what_is_lost_and_nothing_else():
    trace = steady(60)
    trace.transfer[20:30] = trace.rtt[20:30] = math.inf
    found = alone(trace, "cloud", params())
    assert all(not one.side for one in found.frames[20:30])
    assert [one.seconds for one in found.frames[:20]] == pytest.approx([0.015] * 20)
    assert all(one.side == "cloud" for one in found.frames[30:])  # once the link has got rid of what was lost


def test_images_queue_for_a_link_that_is_too_slow_for_them():
    found = alone(steady(20, transfer=0.15), "cloud", params())
    waits = [one.seconds for one in found.frames[:3]]
    assert waits == pytest.approx([0.161, 0.211, math.inf])


def test_an_engine_too_slow_for_the_camera_answers_the_newest_frame():
    found = alone(steady(40, edge=0.15), "edge", params())
    assert 0.6 < found.share("edge") < 0.72
    assert max(one.seconds for one in found.frames if one.side) <= 0.3 + 1e-9  # half of a run waited for, and its own


def test_with_a_better_cloud_the_policy_goes_there_and_pays_little_more_than_the_oracle():
    figures = judge(steady(), params())
    assert figures["cloud_share"] > 0.9
    assert figures["oracle"] <= figures["cost"] < 1.1 * figures["oracle"]
    assert figures["edge"] > 1.5 * figures["oracle"]


def test_with_a_better_edge_it_stays():
    assert judge(steady(rtt=0.1), params())["cloud_share"] < 0.05


@pytest.mark.parametrize("name", ["LAN", "Wi-Fi", "LTE"])
def test_nobody_pays_less_than_the_oracle(name):
    trace = generate(name, 5, seconds=60)
    figures = judge(trace, params())
    assert figures["oracle"] <= min(figures[side] for side in ("edge", "cloud", "cost"))


def test_every_frame_is_answered_once_or_missed_also_through_an_outage():
    trace = steady(300)
    trace.rtt[100:160] = trace.transfer[100:160] = math.inf
    found = replay(trace, params())
    assert found.missed <= 2
    assert len(found.reasons) == 300
    assert sum(one.side == "edge" for one in found.frames[105:160]) >= 53
    assert sum(one.side == "cloud" for one in found.frames[240:]) >= 50


def test_costs_are_those_of_the_parameters():
    weights = {"cost_latency": 2.0, "cost_energy": 0.5, "cost_bandwidth": 3.0, "cost_accuracy": 4.0, "cost_miss": 5.0}
    costs = Costs(params(**weights, edge_energy=0.2, cloud_energy=1.0, edge_accuracy=0.4, cloud_accuracy=0.5))
    assert costs.of_answer(0.1, "edge", inferred=True, sent=0) == pytest.approx(0.2 + 0.1 + 0.4)
    assert costs.of_answer(0.1, "cloud", inferred=False, sent=1e6) == pytest.approx(0.2 + 0.5 + 3.0)
    assert costs.of_answer(math.inf, "", inferred=True, sent=1e6) == pytest.approx(0.1 + 0.5 + 3.0 + 0.5 + 5.0)
