import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.speeds import models
from edge_ai.platforms.workload import OPERATORS, Workload, from_gflops

SIZES = st.tuples(st.integers(1, 4096), st.integers(1, 4096))
COUNTED = [w for w in models().values() if not w.estimated]


@given(SIZES, SIZES)
def test_another_size_scales_operations_and_activations_but_not_weights(first, second):
    one = Workload("m", 10, 3e6, 2e7, 60, first)
    other = one.at(second)
    ratio = second[0] * second[1] / (first[0] * first[1])
    assert other.gflops == pytest.approx(10 * ratio)
    assert other.activations == pytest.approx(2e7 * ratio)
    assert (other.weights, other.operators, other.size) == (3e6, 60, second)
    assert other.at(first).gflops == pytest.approx(10)


@pytest.mark.parametrize("one", COUNTED, ids=lambda w: w.name)
def test_a_guess_from_flops_is_near_what_was_counted(one):
    guess = from_gflops(one.gflops, one.size)
    assert guess.estimated == ("weights", "activations", "operators")
    for figure in ("weights", "activations", "operators"):
        assert 0.5 < getattr(guess, figure) / getattr(one, figure) < 2, figure


def test_guesses_are_in_the_middle_of_what_was_counted():
    for figure in ("weights", "activations"):
        ratios = [getattr(from_gflops(w.gflops, w.size), figure) / getattr(w, figure) for w in COUNTED]
        assert 0.85 < math.exp(statistics.mean(map(math.log, ratios))) < 1.15, figure
    assert min(w.operators for w in COUNTED) < OPERATORS < max(w.operators for w in COUNTED)


def test_known_weights_are_not_guessed():
    one = from_gflops(28.6, (640, 640), 11e6, "v8s")
    assert (one.weights, one.name, one.estimated) == (11e6, "v8s", ("activations", "operators"))


@pytest.mark.parametrize(("gflops", "size"), [(0, (640, 640)), (-1, (640, 640)), (math.nan, (64, 64)), (1, (0, 640))])
def test_nonsense_is_refused(gflops, size):
    with pytest.raises(ParameterError, match=r"workload '.*finite numbers above 0"):
        from_gflops(gflops, size)
