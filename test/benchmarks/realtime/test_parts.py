"""What the parts of the topic make of what their sides answered."""

import importlib
import math

import pytest

from benchmarks.pipeline.transport import accounted
from benchmarks.realtime import composed, limit, peers, separate
from benchmarks.realtime.bench import Setting, _params
from benchmarks.realtime.measure import PARTS, finished
from benchmarks.realtime.rounds import Rounds


def rounds(**sides):
    """One calm round in which each side has a time per result in seconds, and a processor time per result."""
    answers = {}
    for name, (period, cpu) in sides.items():
        count = 101
        answers[name.replace("_", " ")] = [
            {
                "instants": [i * period for i in range(count)],
                "ages" if "limit" not in name else "durations": [period] * count,
                "cpu_s": cpu * 100,
                "seconds": 100 * period,
                "others_cores": 0.0,
            }
        ]
    return Rounds(answers, [0], 0.0)


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_the_sweep_tries_one_worker_more_than_cores_and_no_spinning_without_threads(cores):
    tried = limit.candidates(cores)
    assert len(set(tried)) == len(tried)
    assert Setting(1, 1, "none") in tried
    assert Setting(min(cores, 4) + 1, 1, "none") in tried
    assert not any(one.spinning != "none" and one.threads == 1 for one in tried)
    assert all(one.workers * one.threads <= 2 * cores for one in tried)


def test_the_best_for_latency_and_for_throughput_may_differ():
    found = rounds(limit_quick=(0.02, 0.0), limit_slow=(0.04, 0.0))
    found.answers["limit slow"][0]["instants"] = [i * 0.01 for i in range(101)]
    assert limit.best(found) == {"latency": "limit quick", "throughput": "limit slow"}


def test_a_setting_reaches_the_nodes_as_their_parameters():
    values = {"camera": {"source": "replay:1:v"}, "inference": Setting(2, 1, "none").params}
    assert _params("pipeline", values) == {
        "camera.source": "replay:1:v",
        "inference.workers": 2,
        "inference.threads": 1,
        "inference.spinning": "none",
    }
    assert _params("inference", values) == {"workers": 2, "threads": 1, "spinning": "none"}
    assert _params("camera", values) == {"source": "replay:1:v"}
    assert _params("control", values) == {}


def test_our_nodes_are_held_against_the_limit_in_the_same_mode():
    found = rounds(
        limit_latency=(0.020, 0.030),
        limit_throughput=(0.010, 0.020),
        composed_latency=(0.025, 0.033),
        composed_throughput=(0.010, 0.022),
    )
    assert composed.against_limit(found, "composed") == {
        "results_latency": pytest.approx(0.8),
        "results_throughput": pytest.approx(1.0),
        "cpu_latency": pytest.approx(1.1),
        "cpu_throughput": pytest.approx(1.1),
    }
    marked = {row["label"]: row.get("goal") for row in composed.charts(found, "composed", "t", 0.97, 1.1)[0]["rows"]}
    assert marked["limit latency"] is None
    assert marked["composed throughput"] == pytest.approx(97)


def test_age_bounds_follow_from_the_sources_interval_and_the_limits_times():
    bounds = composed.age_bounds(10.0, 20.0, 50.0)
    assert bounds == {"age_p50": pytest.approx(1.1 * 25), "age_p99": pytest.approx(1.1 * 60)}


def test_a_long_run_is_told_by_the_minute():
    answer = {"instants": [0.0, 59.0, 60.0, 125.0], "ages": [0.01, 0.03, 0.05, 0.07]}
    assert composed.by_minute(answer) == [20, 50, 70]


def test_peers_are_compared_by_results_and_by_their_latest():
    found = rounds(ours=(0.02, 0), tuned=(0.03, 0), defaults=(0.4, 0), naive=(0.5, 0))
    named = {"tuned": "(b) tuned", "defaults": "(a) defaults"}
    found = Rounds({named.get(side, side): answers for side, answers in found.answers.items()}, [0], 0.0)
    ratios = {key: pytest.approx(value) for key, value in peers.ratios(found).items()}
    assert ratios == {"b_results": 1.5, "b_age": 2 / 3, "a_age": 0.05, "naive_age": 0.04}


def test_a_full_hd_run_is_judged_by_the_lesser_of_camera_and_limit():
    counts = {"processed": 3, "dropped": 0, "failed": 0, "unreadable images": 0}
    heard = {
        "raw_results": [{"at": i / 20, "age": 0.05, "said": 0.04} for i in range(3)],
        "captured": [{"index": index} for index in range(4)],
        "counters": {"inference": counts},
        "others_cores": 0.0,
    }
    slow, quick = separate._one_run(20.0, 30.0, heard), separate._one_run(50.0, 30.0, heard)
    assert (slow["possible"], quick["possible"]) == (20, 30)
    assert slow["results_per_s"] == pytest.approx(20)
    assert slow["lost"] == accounted(heard)["lost"] == 1


def test_the_goals_are_those_of_the_issue():
    bounds = {name: [(key, goal.bound, goal.better) for key, goal in part.GOALS.items()] for name, part in OURS.items()}
    assert [bound for _, bound, _ in bounds["composed"][:4]] == [0.97, 0.97, 1.10, 1.10]
    assert all(math.isnan(bound) for _, bound, _ in bounds["composed"][4:6])
    assert bounds["separate"] == [
        ("results_latency", 0.93, "higher"),
        ("results_throughput", 0.93, "higher"),
        ("later", 4.0, "lower"),
        ("cpu_latency", 1.35, "lower"),
        ("cpu_throughput", 1.35, "lower"),
        ("results_1080", 0.90, "higher"),
        ("lost_1080", 0, "lower"),
    ]
    assert [bound for _, bound, _ in bounds["peers"]] == [1.2, 1.4, 0.95, 0.85, 0.2, 0.2, 0.2, 0.2]


OURS = {
    name: importlib.import_module(f"benchmarks.realtime.{name}") for name in ("limit", "composed", "separate", "peers")
}


def test_a_bound_that_was_computed_takes_the_place_of_none():
    goals = finished("composed", composed.GOALS, {"age_p50": 30.0, "growth": 1.0}, {"composed.age_p50": 33.0})
    by_name = {goal.name: goal for goal in goals}
    age, late = (by_name[composed.GOALS[key].name] for key in ("age_p50", "age_p99"))
    assert age.met
    assert age.bound == 33
    assert not late.met
    assert by_name[composed.GOALS["growth"].name].met


def test_every_part_that_is_there_has_goals_and_a_measure():
    for name in PARTS:
        if importlib.util.find_spec(f"benchmarks.realtime.{name}"):
            part = importlib.import_module(f"benchmarks.realtime.{name}")
            assert isinstance(part.GOALS, dict)
            assert callable(part.measure)


def test_the_peers_charts_mark_what_ours_must_reach():
    found = rounds(ours=(0.02, 0), tuned=(0.03, 0), defaults=(0.4, 0))
    found = Rounds(
        {"(b) tuned" if side == "tuned" else side: answers for side, answers in found.answers.items()}, [0], 0.0
    )
    results, ages = peers._charts(found, "t", 1.2, {"(b) tuned": 0.95, "defaults": 0.2})
    assert results["rows"][0]["goal"] == pytest.approx(40)
    assert ages["rows"][0]["goals"] == [None, pytest.approx(28.5)]
    assert all("goals" not in row for row in ages["rows"][1:])
