"""Rollouts through a simulated fleet: what bad releases reach, how long good ones take, what is counted."""

import pytest

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.deployment.canary.stages import LOOKS
from edge_ai.deployment.judge.params import JudgeParams
from edge_ai.fleet.releases import RELEASES, Release
from edge_ai.fleet.rollout import release_named, roll_out
from edge_ai.fleet.rollout_params import RolloutParams

CALM = {"errors": 0.0, "unlike": 0.0}


def run(release, **values):
    params = RolloutParams(**{**CALM, **values})
    return roll_out(params, RELEASES[release] if isinstance(release, str) else release, JudgeParams())


def test_a_good_release_takes_the_least_time_of_every_stage_and_its_robots_that_long():
    found = run("same", robots=200)
    assert found.promoted
    assert found.hours == pytest.approx(4 * 300 / 3600)
    assert found.robot_hours == pytest.approx(300 / 3600 * (20 + 50 + 100 + 200))
    assert (found.touched, found.stage, found.holds) == (1.0, 3, 0)


@pytest.mark.parametrize("robots", [10, 1000])
def test_a_release_that_fails_is_back_after_one_look_at_the_first_stage(robots):
    found = run("fails", robots=robots)
    assert not found.promoted
    assert found.touched == 0.1
    look = 30 / LOOKS  # s
    assert found.hours == pytest.approx(look / 3600)
    assert found.robot_hours == pytest.approx(0.1 * robots * look / 3600)


def test_the_judge_takes_back_what_is_within_all_limits():
    slower = Release(bad=True, slower=1.3)
    judged = run(slower, robots=50, spread=0.02)
    assert not judged.promoted
    assert "worse than the stable group: latency" in judged.reason
    assert run(slower, robots=50, spread=0.02, way="limits").promoted


def test_one_robot_has_nothing_to_be_compared_with():
    found = run("same", robots=1)
    assert found.promoted
    assert "nothing to compare with" in found.reason
    assert found.hours == pytest.approx(300 / 3600)


def test_without_stages_every_robot_is_touched():
    found = run("fails", robots=100, way="at-once")
    assert not found.promoted
    assert found.touched == 1.0


def test_what_shows_after_the_rollout_only_is_promoted_and_stays_until_it_is_noticed():
    late = Release(bad=True, errors=0.5, onset=7200.0)
    found = run(late, robots=100, noticed=3600.0)
    assert found.promoted
    assert found.robot_hours == pytest.approx(300 / 3600 * (10 + 25 + 50 + 100) + 100)
    assert not run(late, robots=100, least=7200.0, patience=9000.0).promoted


def test_whoever_is_asked_lets_a_good_release_go_on_and_takes_a_bad_one_back():
    """A difference between what is tolerated and what can be told apart in the time."""
    undecided = {"robots": 10, "patience": 300.0, "answer": 1800.0}
    good, bad = (run(Release(bad=bad, slower=1.05), **undecided) for bad in (False, True))
    assert good.promoted
    assert good.holds == 3
    assert good.hours == pytest.approx(3 * (300 + 1800) / 3600 + 300 / 3600)
    assert not bad.promoted
    assert bad.holds == 1
    assert bad.hours == pytest.approx(2100 / 3600)


@pytest.mark.parametrize("release", ["same", "wider", "one-in-5"])
def test_the_same_seed_gives_the_same_outcome(release):
    one, again = (run(release, robots=30, seed=4, errors=0.001) for _ in range(2))
    assert one == again


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stages": [10.0, 50.0]}, "the last of them 100"),
        ({"stages": [50.0, 10.0, 100.0]}, "growing"),
        ({"stages": []}, "growing"),
        ({"patience": 60.0}, "nothing could ever be promoted"),
        ({"way": "luck"}, "way"),
    ],
)
def test_what_makes_no_sense_is_told(values, words):
    with pytest.raises(ParameterError, match=words):
        RolloutParams.parse(values)
    with pytest.raises(EdgeAIError, match="x100"):
        release_named("luck")
