"""What the part makes of what it heard, and its load; the sides are tried in test/benchmarks/sides."""

import os

import psutil
import pytest

pytest.importorskip("onnxruntime")

from benchmarks.realtime import settings
from edge_ai.realtime.params import RealtimeParams


def answer(*ages):
    heard = {"ages": list(ages), "instants": [0.0] * 6, "seconds": 0.5, "gc_pauses": [0.001]}
    return {**heard, "resident_mb": 200.0 + len(ages), "others_cores": 0.1, "outcomes": [("gc", True, "freeze")]}


def test_ages_are_pooled_and_compared_within_their_round():
    found = settings.figures([answer(0.02, 0.02), answer(0.03)], [answer(0.01), answer(0.06)])
    assert found["age_ms"]["n"] == 3
    assert found["age_ms"]["p50"] == 20
    assert found["age_p50_over_none"] == pytest.approx((2 + 0.5) / 2)
    assert found["results_per_s"] == 12
    assert found["gc_pauses_ms"] == {"n": 2, "p50": 1, "p90": 1, "p99": 1, "max": 1}
    assert found["resident_mb"] == 202


def test_a_setting_that_was_not_applied_is_told():
    heard = answer(0.01)
    assert settings._missing(heard) == []
    heard["outcomes"].append(("priority", False, "no privilege"))
    assert settings._missing(heard) == ["no privilege"]


def test_each_setting_is_tried_alone_and_together():
    sides = settings.sides()
    assert sides["none"] == {}
    assert {name for values in sides.values() if len(values) == 1 for name in values} == set(
        RealtimeParams.model_fields
    )
    assert set(sides["all"]) == set(RealtimeParams.model_fields)
    for values in sides.values():
        RealtimeParams.parse(values)


def test_the_load_is_one_busy_process_a_processor_and_ends():
    ours = psutil.Process()
    before = set(ours.children())
    with settings.hogs():
        busy = set(ours.children()) - before
        assert len(busy) == len(os.sched_getaffinity(0))
        assert all(process.nice() == ours.nice() for process in busy)
    assert not any(process.is_running() for process in busy)
