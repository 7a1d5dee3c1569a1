"""Evidence: an expectation of at most 1 for every hypothesis it speaks against, computed exactly; nearest shares."""

import itertools
import math

import numpy as np
import pytest

from edge_ai.deployment.judge.evidence import Comparison, Group, Mixture, log_ratio

GAPS = (0.01, 0.1, 0.25)


def chance(bad, total, share):
    return math.comb(total, bad) * share**bad * (1 - share) ** (total - bad)


def expectation(stable, canary, shares, value):
    """Of a function of both groups' bad events, where shares are (stable's, canary's)."""
    return sum(
        chance(k, stable, shares[0]) * chance(m, canary, shares[1]) * value(Group(k, stable), Group(m, canary))
        for k, m in itertools.product(range(stable + 1), range(canary + 1))
    )


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("sizes", [(1, 1), (7, 2), (2, 9)])
@pytest.mark.parametrize("guess", [(0.1, 0.6), (0.01, 0.3), (0.5, 0.99), (0.3, 0.3), (0.002, 0.002), (0.6, 0.1)])
def test_a_ratio_is_an_e_value_for_all_shares_on_the_other_side(gap, sizes, guess):
    worse = guess[1] - guess[0] > gap
    alternatives = np.array([guess])
    grid = np.linspace(0, 1, 11)
    greatest = max(
        expectation(*sizes, (s, c), lambda a, b: math.exp(log_ratio(a, b, alternatives, gap)[0]))
        for s, c in itertools.product(grid, grid)
        if (c - s <= gap) == worse
    )
    assert greatest <= 1 + 1e-6


@pytest.mark.parametrize("gap", GAPS)
def test_the_hypothesis_that_is_divided_by_is_the_nearest(gap):
    rng = np.random.default_rng(1)
    for _ in range(50):
        guess = np.array([[rng.uniform(1e-4, 1 - 1.1 * gap), rng.uniform(1e-4, 1 - 1e-4)]])
        sizes = 10 ** rng.uniform(-2, 2), 1.0
        expected = [Group(share * size, size) for share, size in zip(guess[0], sizes, strict=True)]
        found = log_ratio(*expected, guess, gap)[0]  # the divergence
        x = np.linspace(1e-6, 1 - gap - 1e-6, 20001)
        others = sum(
            group.bad * np.log(share / y) + (group.total - group.bad) * np.log((1 - share) / (1 - y))
            for share, y, group in zip(guess[0], (x, x + gap), expected, strict=True)
        )
        assert found <= others.min() + 1e-9
        assert found == pytest.approx(others.min(), rel=1e-2, abs=1e-5)


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("block", [1, 5])
def test_one_window_is_an_e_value_on_the_boundary_whatever_was_seen_before(gap, block):
    def after(a, b, which):
        made = Comparison(gap, gap / 2, block)
        made.add_groups(Group(1, 20), Group(3, 15))
        before = getattr(made, which)
        made.add_groups(a, b)
        return math.exp(getattr(made, which) - before)

    for share in np.linspace(0, 1 - gap, 9):
        for which in ("against", "in_favour"):
            assert expectation(6, 4, (share, share + gap), lambda a, b, w=which: after(a, b, w)) <= 1 + 1e-6


@pytest.mark.parametrize("gap", GAPS)
def test_pairs_are_an_e_value_on_the_boundary(gap):
    def value(which, stable, canary):
        made = Comparison(gap, gap, 1)
        made.add_pairs(np.array(stable), np.array(canary))
        return math.exp(getattr(made, which))

    outcomes = {(0.0, 0.0): 0.0, (0.0, 1.0): 1.0, (1.0, 0.0): -1.0}
    for worse in np.linspace(gap, (1 + gap) / 2, 5):
        better = worse - gap
        chances = dict(zip(outcomes, (1 - worse - better, worse, better), strict=True))
        for which in ("against", "in_favour"):
            total = sum(
                chances[one] * chances[two] * value(which, (one[0], two[0]), (one[1], two[1]))
                for one, two in itertools.product(outcomes, outcomes)
            )
            assert total <= 1 + 1e-9


def test_a_block_counts_as_one():
    alone, block = Comparison(0.1, 0.05, 1), Comparison(0.1, 0.05, 10)
    for _ in range(5):
        alone.add_groups(Group(0, 10), Group(3, 10))
        block.add_groups(Group(0, 100), Group(30, 100))
    assert block.against == pytest.approx(alone.against)
    assert block.in_favour == pytest.approx(alone.in_favour)


def test_a_large_first_window_does_not_bet_everything_on_a_guess():
    made = Comparison(0.01, 0.005, 1)
    for _ in range(3):
        made.add_groups(Group(50_000, 1_000_000), Group(5_000, 100_000))
    assert made.in_favour > math.log(1000)


def test_windows_that_say_nothing_leave_a_mixture_at_one():
    mixture = Mixture(3)
    for _ in range(50):
        mixture.multiply(np.zeros(3))
        assert mixture.log == pytest.approx(0)


def test_what_turns_bad_late_is_seen_soon():
    made = Comparison(0.01, 0.005, 1)
    for _ in range(50):
        made.add_groups(Group(1, 900), Group(0, 300))
    assert made.in_favour > math.log(1000) > made.against
    for _ in range(3):
        made.add_groups(Group(1, 900), Group(30, 300))
    assert made.against > math.log(1000)


def test_looking_after_every_window_seldom_misleads():
    rng, alpha, wrong, runs = np.random.default_rng(7), 0.1, 0, 150
    for _ in range(runs):
        made, worst = Comparison(0.05, 0.02, 1), 0.0
        for _ in range(25):
            made.add_groups(Group(rng.binomial(60, 0.02), 60), Group(rng.binomial(20, 0.07), 20))
            worst = max(worst, made.against)
        wrong += worst >= -math.log(alpha)
    assert wrong <= alpha * runs + 3 * math.sqrt(runs * alpha * (1 - alpha))
