"""What a fleet must never do: swing, move in step, or storm servers that have just come back."""

from dataclasses import replace

import numpy as np
import pytest

from edge_ai.fleet.links import LAN
from edge_ai.fleet.measures import in_step, rhythm, summarize, swings
from edge_ai.fleet.params import FleetParams
from edge_ai.fleet.simulation import simulate

POLICIES = ("rules", "adaptive", "cost")
BUSY = {"robots": 40, "horizon": 32.0, "warm_up": 4.0, "outage_start": 14.0, "outage_end": 20.0, "frames": 6000}


@pytest.fixture(scope="module")
def runs():
    return {policy: simulate(FleetParams(policy=policy, busy=0.5, **BUSY)) for policy in (*POLICIES, "always-cloud")}


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_neither_swing_nor_move_in_step(runs, policy):
    figures = summarize(runs[policy])
    assert figures.swings == 0
    assert not figures.in_step > 0.05


@pytest.mark.parametrize("policy", [*POLICIES, "always-cloud"])
def test_the_end_of_an_outage_brings_no_stampede(runs, policy):
    assert summarize(runs[policy]).storm < 2


def test_breakers_open_in_an_outage_and_most_requests_stay_away(runs):
    seen = runs["always-cloud"]
    alone = {int(time): share for time, _, share in seen.samples}
    assert alone[19] > 0.8
    assert summarize(seen).outage_requests < 0.35


def test_robots_that_all_turn_busy_at_once_do_not_swing():
    params = FleetParams(
        policy="adaptive", robots=40, busy=0.0, frames=5000, horizon=30.0, outage_start=0.0, outage_end=0.0,
        rush_start=8.0, rush_end=24.0,
    )  # fmt: skip
    seen = simulate(params, kind=LAN)
    captured = seen.frames["captured"]
    rush = (captured > 12) & (captured < 24)
    shares = np.array([seen.frames["asked"][rush & (captured >= t) & (captured < t + 1)].mean() for t in range(12, 24)])
    assert shares.mean() > 0.05
    assert swings(shares, noise=0.5 / np.sqrt(150)) <= 1


def test_swings_counts_turns_of_a_tenth_and_more():
    assert swings(np.array([0.1, 0.5, 0.1, 0.5, 0.1])) == 3
    assert swings(np.array([0.1, 0.15, 0.1, 0.15])) == 0
    assert swings(np.array([0.1, 0.3, 0.28, 0.5, 0.48, 0.9])) == 0
    assert swings(np.array([])) == 0


def test_rhythm_finds_what_repeats():
    times = np.arange(80)
    assert rhythm(np.sin(times)) > 0.9
    noise = np.random.default_rng(1).normal(size=400)
    assert rhythm(noise) < 0.35
    assert np.isnan(rhythm(np.ones(80)))


@pytest.mark.parametrize(("common", "least", "most"), [(True, 0.95, 1.001), (False, -0.05, 0.05)])
def test_in_step_tells_lock_step_from_chance(runs, common, least, most):
    seen = runs["cost"]
    frames = dict(seen.frames)
    rng = np.random.default_rng(2)
    begin, _ = seen.params.steady
    bins = ((frames["captured"] - begin) / max(1.0, 2 / seen.params.simulated_rate)).astype(int)
    frames["asked"] = rng.integers(0, 2, 100)[bins] if common else rng.integers(0, 2, len(bins))
    value = in_step(replace(seen, frames=frames))
    assert least < value < most
