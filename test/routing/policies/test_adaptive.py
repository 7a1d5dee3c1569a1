import random
from collections import deque

import pytest

from edge_ai.routing.decision import Load, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.policies.adaptive import AdaptivePolicy

PARAMS = RouterParams()
ADAPTIVE = AdaptivePolicy()


def share(snapshot, **changes):
    """Of the frames in this state, those that go to the cloud."""
    draws = [(i + 0.5) / 1000 for i in range(1000)]
    return sum(ADAPTIVE.decide(snapshot(draw=d, **changes), PARAMS).where is Where.CLOUD for d in draws) / 1000


def test_at_ease_all_frames_stay(snapshot):
    assert share(snapshot) == 0
    assert share(snapshot, load=Load(0.8, 0.8, 0.8, 85.0)) == 0


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(cpu=0.95), "CPU load 0.95 above 0.8"),
        (Load(gpu=0.93), "GPU load 0.93 above 0.8"),
        (Load(memory=0.97), "memory load 0.97 above 0.8"),
        (Load(temperature=93.0), "93 degC above 85 degC"),
    ],
)
def test_a_machine_beyond_its_limits_sends_frames_to_the_cloud(snapshot, load, words):
    assert share(snapshot, load=load) == 1
    assert words in ADAPTIVE.decide(snapshot(load=load), PARAMS).words


def test_frames_of_high_priority_stay_whatever_the_load(snapshot):
    assert share(snapshot, load=Load(1.0, 1.0, 1.0, 120.0), priority=2) == 0
    assert ADAPTIVE.decide(snapshot(priority=2), PARAMS).reasons == ("high priority",)


def test_an_edge_slower_than_twice_the_bound_sends_frames_but_for_those_that_show_when_it_is_well_again(snapshot, side):
    assert share(snapshot, edge=side(0.19), budget=1.0) == 0
    assert share(snapshot, edge=side(0.30), budget=1.0) == pytest.approx(0.98)
    assert "edge takes 300 ms" in ADAPTIVE.decide(snapshot(edge=side(0.3), budget=1.0), PARAMS).words


def test_the_share_grows_with_the_load(snapshot):
    shares = [share(snapshot, load=Load(cpu=cpu / 100)) for cpu in range(80, 93)]
    assert shares == sorted(shares)
    assert shares[5] == pytest.approx(0.5, abs=0.01)


def test_a_slow_cloud_gets_fewer_frames_but_never_none(snapshot, side):
    busy = {"load": Load(cpu=1.0), "budget": 0.5}
    assert share(snapshot, **busy, cloud=side(0.1)) == 1
    assert share(snapshot, **busy, cloud=side(0.2)) == pytest.approx(0.5, abs=0.01)
    assert share(snapshot, **busy, cloud=side(0.1, in_flight=2)) == pytest.approx(0.5, abs=0.01)
    assert share(snapshot, **busy, cloud=side(0.4)) == pytest.approx(0.02)
    assert share(snapshot, **busy, cloud=side(0.4, age=10.0)) == pytest.approx(0.1)
    words = ADAPTIVE.decide(snapshot(**busy, cloud=side(0.4), draw=0.9), PARAMS).words
    assert "the cloud takes 400 ms with 0 requests under way, above 100 ms" in words


def test_a_cloud_is_not_slow_beside_an_edge_that_is_slower(snapshot, side):
    assert share(snapshot, load=Load(cpu=1.0), budget=0.5, cloud=side(0.2), edge=side(0.25)) == 1


def test_trials_of_a_side_that_is_late_are_marked_so_that_the_other_is_asked_too(snapshot, side):
    cloud = ADAPTIVE.decide(snapshot(load=Load(cpu=1.0), cloud=side(0.4), draw=0.001), PARAMS)
    edge = ADAPTIVE.decide(snapshot(edge=side(0.4), draw=0.999), PARAMS)
    assert (cloud.where, cloud.exploring) == (Where.CLOUD, True)
    assert (edge.where, edge.exploring) == (Where.EDGE, True)


def test_a_machine_finds_its_share_instead_of_swinging(snapshot):
    # An inference is half of the machine's work; the load is measured over ten frames and smoothed.
    rng, lately, load, shares = random.Random(1), deque([0] * 10, maxlen=10), 0.5, []
    for step in range(3000):
        cloud = ADAPTIVE.decide(snapshot(load=Load(cpu=load), draw=rng.random()), PARAMS).where is Where.CLOUD
        lately.append(cloud)
        if step % 10 == 9:
            load += 0.2 * (0.45 + 0.5 * (1 - sum(lately) / 10) - load)
            shares.append(sum(lately) / 10)
    settled = shares[100:]
    mean = sum(settled) / len(settled)
    assert mean == pytest.approx(0.25, abs=0.05)  # where 0.95 - share / 2 is the load at which that share goes
    assert sum(abs(one - mean) > 0.45 for one in settled) < len(settled) / 20


def test_no_second_opinion(snapshot, result):
    assert ADAPTIVE.second_opinion(snapshot(), PARAMS, result()) is None
