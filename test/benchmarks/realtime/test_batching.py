"""What the part makes of what its sides answered."""

import pytest

from benchmarks.realtime.batch_sweep import Load, fixed, judged, loads
from benchmarks.realtime.batching import GOALS, added

CURVE = {1: 0.004, 8: 0.008, 32: 0.016}


def answer(took, sent=100, in_time=100, busy=0.0):
    return {"times": [took] * 100, "sent": sent, "in_time": in_time, "sizes": {"1": 100}, "others_cores": busy}


def test_the_loads_span_from_a_quarter_of_one_by_one_to_nearly_all():
    light, medium, heavy = loads(CURVE)
    assert light.rate == pytest.approx(0.25 * 250)
    assert medium.rate == pytest.approx(0.4 * 2000)
    assert (heavy.rate, heavy.deadline) == (pytest.approx(0.9 * 2000), 4 * 0.016)
    assert {light.name, medium.name, heavy.name} <= set(GOALS)


def test_sizes_that_cannot_keep_up_are_not_tried_and_one_alone_never_waits():
    assert fixed(CURVE, (0.0, 2.0), Load("light", 60)) == [
        ["fixed", 1, 0.0],
        *(["fixed", size, wait] for size in (8, 32) for wait in (0.0, 0.008)),
    ]
    assert {policy[1] for policy in fixed(CURVE, (0.0,), Load("heavy", 5000))} == {32}


def test_what_is_to_be_small_is_the_mean_time_or_what_is_sent_for_each_in_time():
    assert Load("medium", 100).cost(answer(0.02)) == pytest.approx(0.02)
    assert Load("heavy", 100, 0.05).cost(answer(0.02, sent=100, in_time=80)) == 1.25


def test_the_best_fixed_policy_of_the_calm_rounds_is_the_measure():
    answers = {
        "own": [answer(0.010), answer(0.011), answer(0.012), answer(0.5, busy=2.0)],
        "a": [answer(0.010), answer(0.010), answer(0.010), answer(0.001, busy=2.0)],
        "b": [answer(0.020)] * 4,
    }
    found = judged(Load("light", 10), answers, "own")
    assert found["best"] == "a"
    assert found["over_best"] == pytest.approx(1.1)
    assert found["sides"]["own"]["mean_ms"] == pytest.approx(11)
    assert found["sides"]["own"]["batches_by_size"] == {"1": 300}


def test_overhead_is_what_comes_on_top_of_the_same_engine_in_the_same_round():
    def side(*micro, cpu):
        return [{"times": [one * 1e-6] * 9, "cpu_s": cpu * 1e-6, "others_cores": 0.0} for one in micro]

    answers = {
        "ours_directly": side(10, 20, 30, cpu=20),
        "ours_single": side(20, 30, 40, cpu=30),
        "ours_adaptive": side(30, 40, 50, cpu=40),
        "peer_directly": side(10, 10, 10, cpu=20),
        "peer": side(90, 90, 90, cpu=100),
    }
    found, figures = added(answers)
    assert found == pytest.approx({"overhead": 20, "overhead_cpu": 20, "peer": 0.25, "peer_cpu": 0.25})
    assert figures["peer"]["p99_us"] == pytest.approx(90)
    found, _ = added({name: given for name, given in answers.items() if name.startswith("ours")})
    assert "peer" not in found
