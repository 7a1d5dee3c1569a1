import math

import pytest

from edge_ai.monitoring.effects import Effect, Recent, speaks_against, without
from edge_ai.monitoring.rules import Rule

FPS = Rule("fps", "fps_share", 0.8, 0.84, below=True)
CPU = Rule("cpu", "cpu", 0.9, 0.85)
RATE = Rule("rate", "camera/rate", 10, 11, below=True)
LIGHTER = Effect({"fps": 12.0, "fps_share": 0.6, "processing": 0.08}, {"fps": 20.0, "processing": 0.04})


@pytest.mark.parametrize(
    ("processing", "share"),
    [
        (0.04, 0.6),  # as slow as ever: undone, it would be as before
        (0.02, 1.2),  # the machine works twice as fast
        (0.08, 0.3),
    ],
)
def test_a_rate_is_foretold_by_how_much_quicker_the_same_work_has_got(processing, share):
    now = {"fps": 20.0, "fps_share": 1.0, "processing": processing}
    assert without(FPS, LIGHTER, now) == pytest.approx(share)
    against = speaks_against(FPS, LIGHTER, now, margin=0.05)
    assert bool(against) is (share < 1.05)
    assert not against or f"{share * 100:.0f} %" in against


@pytest.mark.parametrize(
    ("after", "now", "gone"),
    [(1.0, 0.3, True), (1.0, 0.95, False), (0.6, 0.3, False), (math.nan, 0.3, False), (1.0, math.nan, False)],
)
@pytest.mark.parametrize("processor", ["cpu", "gpu"])
def test_a_load_that_has_plainly_ended_outweighs_a_bad_measurement(processor, after, now, gone):
    """What was measured while the load began says that the step made all the difference."""
    effect = Effect({"fps": 1.0, "processing": 1.2}, {"processing": 0.1, processor: after})
    against = speaks_against(FPS, effect, {"fps": 20.0, "fps_share": 1.0, "processing": 0.04, processor: now}, 0.05)
    assert (against == "") is gone


def test_another_target_counts_from_when_it_is_set():
    now = {"fps": 20.0, "fps_share": 2.0, "processing": 0.04}  # the target is 10 now, not 20
    assert without(FPS, LIGHTER, now) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("effect", "now"),
    [
        (Effect({"fps": 12.0}), {"fps": 20.0, "fps_share": 1.0, "processing": 0.02}),
        (LIGHTER, {"fps": 20.0, "fps_share": 1.0}),
        (LIGHTER, {"fps": 0.0, "fps_share": 0.0, "processing": 0.02}),
        (Effect(), {}),
    ],
)
def test_without_measurements_nothing_is_foretold(effect, now):
    assert math.isnan(without(FPS, effect, now))
    assert speaks_against(FPS, effect, now, 0.05) == ""


@pytest.mark.parametrize(
    ("rule", "before", "after", "now", "expected"),
    [
        (CPU, 0.95, 0.55, 0.5, 0.9),
        (CPU, 0.95, 0.55, 0.2, 0.6),
        (CPU, 0.95, 0.99, 0.5, 0.5),  # it did not help: nothing would be lost
        (RATE, 8, 12, 12, 8),
    ],
)
def test_of_other_metrics_the_improvement_is_taken_back(rule, before, after, now, expected):
    effect = Effect({rule.metric: before}, {rule.metric: after})
    assert without(rule, effect, {rule.metric: now}) == pytest.approx(expected)
    assert bool(speaks_against(rule, effect, {rule.metric: now}, 0.05)) is not rule.well(expected)


def test_one_outlier_decides_nothing():
    recent = Recent()
    for value in (1.0, 30.0, 31.0, math.nan, 900.0):
        recent.add({"fps": value})
    assert recent.medians(["fps", "age"]) == {"fps": pytest.approx(465.5)}
    recent.add({"fps": 30.0})
    recent.add({"fps": 29.0})
    assert recent.medians(["fps"]) == {"fps": 30}
    recent.clear()
    assert recent.medians(["fps"]) == {}


def test_an_effect_in_words():
    assert LIGHTER.words() == "fps 12.0/s -> 20.0/s, processing 80.0 ms -> 40.0 ms"
    assert Effect().words() == "nothing could be measured"
