"""Whether robots keep limits: yes, no, or not known yet."""

from math import comb

import numpy as np
import pytest

from edge_ai.deployment.canary.criteria import DEFAULTS, Criterion
from edge_ai.deployment.canary.evaluation import Evaluation
from edge_ai.deployment.canary.limits import check_limits, surely_more
from edge_ai.deployment.canary.stages import LimitCheck

LATENCY = Criterion(name="latency", query="x{$group}", limit=0.1)
ERRORS = Criterion(name="errors", bad="x{$group}", total="y{$group}", limit=0.01, least=100)


def latencies(**robots):
    return Evaluation({"latency": {robot: (value,) for robot, value in robots.items()}})


def errors(*counts):
    return [Evaluation({"errors": {"a": count}} if count else {}) for count in counts]


def test_one_robot_beyond_its_limit_at_two_looks_in_a_row_is_enough_and_is_named():
    looks = [latencies(a=0.05, b=0.3, c=0.2), latencies(a=0.05, b=0.2, c=0.3)]
    assert check_limits([LATENCY], looks, ["a", "b", "c"]) == LimitCheck(("latency 0.3 > 0.1 on c, b",))


@pytest.mark.parametrize("before", [[], [{"a": 0.05}], [{"a": 0.2}, {"a": 0.05}], [{"a": 0.2}, {}]])
def test_one_look_beyond_is_neither_breached_nor_kept(before):
    check = check_limits([LATENCY], [latencies(**one) for one in (*before, {"a": 0.2})], ["a"])
    assert check == LimitCheck((), ("latency: more than 0.1 at one look, on a",))


def test_a_robot_that_was_beyond_and_is_not_any_more_keeps_its_limit():
    assert check_limits([LATENCY], [latencies(a=0.2), latencies(a=0.1)], ["a"]) == LimitCheck()


def test_a_robot_without_a_figure_is_named_and_the_others_still_count():
    check = check_limits([LATENCY], [latencies(b=0.2)] * 2, ["a", "b"])
    assert check == LimitCheck(("latency 0.2 > 0.1 on b",), ("latency: no figures of a",))


def test_many_robots_are_counted():
    silent = [f"r{number}" for number in range(9)]
    check = check_limits([LATENCY], [latencies()], silent)
    assert check.unknown == ("latency: no figures of r0, r1, r2, r3, r4 and 4 more",)


@pytest.mark.parametrize(
    ("counts", "breached", "unknown"),
    [
        ([(0.0, 1000.0)], False, False),
        ([(10.0, 1000.0)], False, False),
        ([(1.0, 20.0)], False, True),  # one of twenty is 5 %, and means nothing yet
        ([(30.0, 300.0)], False, True),  # one second without a camera
        ([(30.0, 900.0), (0.0, 2100.0)], False, False),
        ([(90.0, 900.0)], True, False),
        ([(150.0, 300.0)], True, False),
        ([(0.0, 90_000.0), (90.0, 900.0)], True, False),  # begins late
        ([(0.0, 90_000.0), (30.0, 300.0), (30.0, 300.0)], True, False),
        ([(23.0, 900.0)] * 4, False, True),
        ([(23.0, 900.0)] * 12, True, False),  # a little too many all the time
        ([(0.0, 1000.0), (0.0, 0.0)], False, True),  # no traffic any more
        ([(0.0, 0.0)], False, True),
        ([(99.0, 99.0)], True, False),
        ([None], False, True),
        ([(0.0, 60.0), None, (0.0, 60.0)], False, False),
    ],
)
def test_a_share_is_kept_breached_or_not_known_yet(counts, breached, unknown):
    check = check_limits([ERRORS], errors(*counts), ["a"])
    assert (bool(check.breached), bool(check.unknown)) == (breached, unknown)


def test_why_a_share_is_not_known_is_told():
    def unknown(*counts):
        return check_limits([ERRORS], errors(*counts), ["a"]).unknown

    assert unknown((0.0, 5.0)) == ("errors: fewer than 100 events of a",)
    assert unknown((0.0, 5000.0), (0.0, 0.0)) == ("errors: no events of a",)
    assert unknown((20.0, 900.0)) == ("errors: more than 0.01 of too few events to be sure, on a",)
    assert unknown(None) == ("errors: no figures of a",)


def test_what_could_not_be_asked_is_unknown_with_its_reason_and_a_breach_beside_it_counts():
    evaluation = Evaluation({"latency": {"a": (0.2,)}}, faults={"latency": "Prometheus: no answer"})
    check = check_limits([LATENCY], [evaluation] * 2, ["a"])
    assert check.unknown == ("latency: Prometheus: no answer",)
    assert check.breached


@pytest.mark.parametrize("limit", [0.002, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("total", [10, 90, 900])
def test_a_share_at_its_limit_is_called_greater_once_in_a_thousand_at_most(limit, total):
    """By the exact binomial tail."""
    few = next((bad for bad in range(total + 1) if surely_more(bad, total, limit)), None)
    if few is not None:
        tail = sum(comb(total, bad) * limit**bad * (1 - limit) ** (total - bad) for bad in range(few, total + 1))
        assert tail < 0.001


def test_no_event_may_go_wrong_where_the_limit_says_so():
    assert surely_more(1, 1000, 0.0, block=10)
    assert not surely_more(0, 1000, 0.0)
    assert not surely_more(1000, 1000, 1.0)


@pytest.mark.parametrize(("late", "burst"), [(0, 1), (0, 5), (30, 1)])
def test_a_tenth_of_the_frames_is_seen_in_one_interval_of_a_camera(late, burst):
    """30 frames a second, 30 s, three looks; `late`: the frames of the first look but so many were good."""
    draw, found = np.random.default_rng(3), 0
    for _ in range(200):
        bad = burst * draw.binomial([(300 - 10 * late) // burst, 300 // burst, 300 // burst], 0.1)
        looks = errors((0.0, 9000.0), *((float(count), 300.0) for count in bad))
        found += any(check_limits(DEFAULT, looks[:count], ["a"]).breached for count in (2, 3, 4))
    assert found >= (200 * 0.95)


def test_a_thousand_healthy_robots_keep_the_limit_all_day():
    """0.02 % of the frames fail, five at a time."""
    draw = np.random.default_rng(4)
    failed = 5 * draw.binomial(60, 0.0002, (120, 1000))
    looks = [Evaluation({"errors": {str(r): (float(b), 300.0) for r, b in enumerate(row)}}) for row in failed]
    hosts = [str(robot) for robot in range(1000)]
    checks = [check_limits(DEFAULT, looks[: count + 1], hosts) for count in range(0, 120, 8)]
    assert not any(check.breached for check in checks)
    assert not any(check.unknown for check in checks[2:])


DEFAULT = [one.model_copy(update={"name": "errors"}) for one in DEFAULTS if one.name == "error rate"]
