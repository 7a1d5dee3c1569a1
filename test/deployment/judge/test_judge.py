"""The judge: three verdicts, what must never be one, and what rank tests are blind to."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from edge_ai.core.errors import DeploymentError
from edge_ai.core.params import specs
from edge_ai.deployment.judge.judge import Counts, Judge, Verdict, Window
from edge_ai.deployment.judge.params import JudgeParams

PLAIN = JudgeParams(frame_block=1)
GOOD = Window("errors", Counts(2, 1000), Counts(1, 500))


def judge(windows, params=PLAIN, metrics=("errors",)):
    made = Judge(params, metrics)
    for window in windows:
        made.add(window)
    return made.judgement()


def values(seed, stable, canary, windows, each=5):
    """Windows of values that two functions of a random generator and a count draw."""
    rng = np.random.default_rng(seed)
    return [Window("latency", stable(rng, 2 * each), canary(rng, each)) for _ in range(windows)]


def steady(rng, count, median=0.05, spread=0.1):
    return median * np.exp(rng.normal(0, spread, count))


def test_a_good_release_is_promoted_and_the_reason_has_the_figures():
    found = judge([GOOD] * 10)
    assert found.verdict is Verdict.PROMOTE
    assert "errors: 0.2 % of 5000 against stable's 0.2 % of 10000" in found.reason
    assert found.figures["errors.share.evidence_in_favour"] >= 50


def test_a_bad_release_is_rejected_in_one_window():
    found = judge([Window("errors", Counts(2, 1000), Counts(100, 500))])
    assert found.verdict is Verdict.REJECT
    assert found.reason.startswith("errors: 20 %")


def test_too_little_is_undecided():
    found = judge([Window("errors", Counts(0, 30), Counts(0, 10))] * 3)
    assert found.verdict is Verdict.UNDECIDED
    assert "wanted" in found.reason


def test_evidence_of_a_good_release_waits_for_the_least_number_of_windows():
    window = Window("errors", Counts(20, 100_000), Counts(20, 100_000))
    assert judge([window] * 2).verdict is Verdict.UNDECIDED
    assert judge([window] * 3).verdict is Verdict.PROMOTE


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window("errors", Counts(0, 1000), Counts(0, 0)), "no traffic at canary"),
        (Window("errors", Counts(0, 0), Counts(0, 500)), "no traffic at stable"),
        (Window("errors", Counts(0, 0), Counts(0, 0)), "no traffic at stable"),
        (Window("errors", Counts(-1, 1000), Counts(0, 500)), "stable counts -1 bad of 1000"),
        (Window("errors", Counts(0, 1000), Counts(600, 500)), "canary counts 600 bad of 500"),
        (Window("errors", Counts(0, 1000), Counts(math.nan, 500)), "canary counts nan"),
        (Window("errors", Counts(0, 0), Counts(0, 0), [(0.0, math.nan)]), "canary has a value that is no number"),
        (Window("errors", Counts(0, 0), Counts(0, 0), [(0.0, 3.0)]), "canary has a value of 3"),
    ],
)
def test_a_window_that_cannot_be_used_is_a_reason_to_wait_until_the_next_good_one(window, words):
    windows = [GOOD] * 10
    assert judge([window] * 10).verdict is Verdict.UNDECIDED
    found = judge([*windows, window])
    assert found.verdict is Verdict.UNDECIDED
    assert words in found.reason
    assert judge([*windows, window, GOOD]).verdict is Verdict.PROMOTE


@pytest.mark.parametrize(
    ("stable", "canary", "words"),
    [
        ([0.05] * 9, [], "no values of canary"),
        ([], [0.05], "no values of stable"),
        ([0.05] * 9, [math.nan, 0.05], "canary has a value that is no number"),
        ([0.05, math.inf], [0.05], "stable has a value that is no number"),
        ([0.05] * 9, [-0.05], "canary has a value of -0.05"),
        ([0.05] * 9, [0.0, 0.0], "canary has only zeros"),
        ([0.0] * 9, [0.0, 0.0], "stable has only zeros"),
    ],
)
def test_values_that_cannot_be_used_are_neither_a_pass_nor_a_failure(stable, canary, words):
    found = judge([Window("latency", stable, canary)] * 50, metrics=["latency"])
    assert found.verdict is Verdict.UNDECIDED
    assert words in found.reason


def test_a_metric_that_never_came_is_named():
    found = judge([GOOD] * 10, metrics=["errors", "latency"])
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason == "latency: no data"


def test_one_metric_rejects_while_another_has_no_data():
    bad = Window("errors", Counts(2, 1000), Counts(100, 500))
    assert judge([bad, Window("latency", [], [])], metrics=["errors", "latency"]).verdict is Verdict.REJECT


def test_two_groups_that_get_worse_together_are_no_reason_to_reject():
    windows = [Window("errors", Counts(20 * n, 2000), Counts(10 * n, 1000)) for n in range(30)]
    assert all(judge(windows[:n]).verdict is not Verdict.REJECT for n in range(1, 30))
    little = [Window("errors", Counts(2 * n, 2000), Counts(n, 1000)) for n in range(20)]
    assert judge(little).verdict is Verdict.PROMOTE


def test_seven_of_ten_a_hundred_times_worse_is_rejected():
    worse = [5.0] * 7 + [0.05, 0.051, 0.049]
    windows = [Window("latency", [0.05, 0.051, 0.049, 0.052, 0.048] * 2, worse)] * 2
    assert judge(windows[:1], metrics=["latency"]).verdict is not Verdict.PROMOTE
    assert judge(windows, metrics=["latency"]).verdict is Verdict.REJECT


def test_rare_errors_are_rejected():
    """One interval in four has errors: the median of the intervals is 0 in both groups."""
    windows = [Window("errors", Counts(0, 1000), Counts(40 * (n % 4 == 3), 500)) for n in range(40)]
    assert judge(windows).verdict is Verdict.REJECT


def test_the_same_median_with_a_wider_spread_is_rejected():
    windows = values(3, steady, lambda rng, count: steady(rng, count, spread=0.6), 40)
    assert judge(windows, metrics=["latency"]).verdict is Verdict.REJECT


def test_values_that_are_the_same_are_promoted_and_slower_ones_rejected():
    assert judge(values(4, steady, steady, 60), metrics=["latency"]).verdict is Verdict.PROMOTE
    slower = values(4, steady, lambda rng, count: steady(rng, count, median=0.07), 30)
    assert judge(slower, metrics=["latency"]).verdict is Verdict.REJECT


def test_pairs_see_through_what_differs_from_frame_to_frame():
    """Scenes differ tenfold, the releases by half: alone undecided, in pairs rejected."""
    rng = np.random.default_rng(5)
    scenes = np.exp(rng.normal(-3, 1.5, (30, 8)))
    paired = [Window("latency", [], [], [(s, 1.5 * s) for s in scene]) for scene in scenes]
    alone = [Window("latency", scene[::2], 1.5 * scene[1::2]) for scene in scenes]
    assert judge(paired, metrics=["latency"]).verdict is Verdict.REJECT
    assert judge(alone, metrics=["latency"]).verdict is Verdict.UNDECIDED


def test_paired_events_decide_both_ways():
    same = Window("errors", Counts(0, 0), Counts(0, 0), [(0.0, 0.0)] * 95 + [(1.0, 1.0)] * 5)
    worse = Window("errors", Counts(0, 0), Counts(0, 0), [(0.0, 0.0)] * 90 + [(0.0, 1.0)] * 10)
    assert judge([same] * 10).verdict is Verdict.PROMOTE
    assert judge([worse] * 10).verdict is Verdict.REJECT


def test_thirty_frames_that_fail_together_are_one_event():
    burst = Window("errors", Counts(0, 9000), Counts(30, 900))
    assert judge([burst], JudgeParams(frame_block=30)).verdict is Verdict.UNDECIDED
    assert judge([burst], PLAIN).verdict is Verdict.REJECT


def test_figures_go_into_any_log():
    bad = judge([Window("errors", Counts(0, 10**6), Counts(10**5, 10**5))] * 50)
    assert bad.verdict is Verdict.REJECT
    nothing = judge([Window("errors", Counts(0, 0), Counts(0, 0))])
    for found in (bad, nothing):
        json.dumps(found.figures, allow_nan=False)


def test_what_makes_no_sense_is_an_error():
    made = Judge(PLAIN, ["errors"])
    made.add(GOOD)
    with pytest.raises(DeploymentError, match="one kind"):
        made.add(Window("errors", [0.1], [0.2]))
    with pytest.raises(DeploymentError, match="one kind"):
        made.add(Window("errors", Counts(0, 1), [0.2]))
    with pytest.raises(DeploymentError, match="'speed'"):
        made.add(Window("speed", [0.1], [0.2]))
    with pytest.raises(DeploymentError, match="no metric"):
        Judge(PLAIN, [])


def test_the_page_names_every_parameter_as_it_is():
    page = (Path(__file__).parents[3] / "doc/judge.md").read_text()
    for spec in specs(JudgeParams):
        assert f"| `{spec.name}` | {spec.default} | {spec.description} |" in page
