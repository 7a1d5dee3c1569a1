import math
import random
import statistics
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_ai.core.clock import NS
from edge_ai.routing.estimates import LatencyEstimate, LinkEstimate

MS = NS // 1000
numbers = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)


def learned(times, every_ns=33 * MS):
    """An estimate that has seen these latencies, and the time of the last."""
    estimate, now = LatencyEstimate(), 0
    for seconds in times:
        now += every_ns
        estimate.add(seconds, now)
    return estimate, now


def test_before_the_first_answer_nothing_is_known():
    expected, spread, p95, age = LatencyEstimate().state(5 * NS)
    assert all(math.isnan(one) for one in (expected, spread, p95))
    assert age == math.inf


def test_steady_answers_are_known_exactly_with_their_age():
    estimate, now = learned([0.04] * 50)
    assert estimate.state(now + NS) == pytest.approx((0.04, 0.0, 0.04, 1.0), abs=1e-8)


def test_mean_spread_and_percentile_are_those_of_what_came_lately():
    rng = random.Random(1)
    seen = []
    estimate, now = LatencyEstimate(), 0
    for _ in range(2000):
        now += 33 * MS
        estimate.add(max(0.0, rng.gauss(0.1, 0.02)), now)
        seen.append(estimate.state(now))
    states = seen[100:]
    assert statistics.fmean(one.expected for one in states) == pytest.approx(0.1, rel=0.03)
    assert statistics.fmean(one.spread for one in states) == pytest.approx(0.02, rel=0.25)
    assert statistics.fmean(one.p95 for one in states) == pytest.approx(0.1 + 1.645 * 0.02, rel=0.05)


def test_a_change_is_known_after_a_few_answers():
    estimate, now = learned([0.03] * 100 + [0.2] * 8)
    assert estimate.state(now).expected > 0.15


def test_after_a_pause_one_new_answer_outweighs_all_old_ones():
    estimate, now = learned([0.25] * 20)
    estimate.add(0.02, now + 20 * NS)
    assert estimate.state(now + 20 * NS).expected == pytest.approx(0.02, abs=0.001)


def test_the_percentile_forgets_after_half_a_minute():
    estimate, now = learned([0.25] * 20)
    later = now + 31 * NS
    for i in range(5):
        estimate.add(0.02, later + i * MS)
    assert estimate.state(later).p95 == 0.02


def test_what_was_given_up_counts_as_late_but_never_makes_a_side_look_quick():
    estimate, now = learned([0.1] * 50)
    estimate.late(0.01, now)
    assert estimate.state(now).expected == pytest.approx(0.1)
    for _ in range(10):
        estimate.late(0.5, now)
    assert estimate.state(now).expected > 0.4
    assert estimate.state(now).p95 == 0.5


def test_a_late_request_alone_is_knowledge_too():
    estimate = LatencyEstimate()
    estimate.late(0.3, NS)
    assert estimate.state(NS).expected == pytest.approx(0.3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "late"]), numbers, st.integers(0, 2**62)), max_size=90))
def test_nothing_that_is_measured_breaks_an_estimate(calls):
    estimate, link = LatencyEstimate(), LinkEstimate()
    for name, seconds, now in calls:
        getattr(estimate, name)(seconds, now)
        link.ping(seconds, now)
        link.transfer(now % 100_000, seconds, seconds / 2, now)
        expected, spread, p95, age = estimate.state(now)
        known = not math.isnan(expected)
        assert known == (age < math.inf)
        assert not known or (expected >= 0 and spread >= 0 and p95 >= 0 and age >= 0)
        assert not link.state(now).bandwidth <= 0


def test_many_threads_may_measure_at_once():
    estimate = LatencyEstimate()

    def work():
        for i in range(2000):
            estimate.add(0.05, i * MS)
            estimate.late(0.01, i * MS)
            estimate.state(i * MS)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert estimate.state(2 * NS)[:3] == pytest.approx((0.05, 0.0, 0.05), abs=1e-8)


def test_the_bandwidth_is_what_remains_without_round_trip_and_service():
    link = LinkEstimate()
    for i in range(20):
        link.ping(0.020, i * NS)
        link.transfer(50_000, 0.020 + 0.050 + 0.012, 0.012, i * NS)
    bandwidth, rtt = link.state(20 * NS)
    assert bandwidth == pytest.approx(1e6)
    assert rtt == pytest.approx(0.020)


def test_without_a_word_of_the_service_a_link_looks_slower_never_faster():
    link = LinkEstimate()
    link.transfer(50_000, 0.082, math.nan, NS)
    assert link.state(NS).bandwidth == pytest.approx(50_000 / 0.082)


def test_pings_that_waited_behind_images_make_no_link_look_wide():
    link = LinkEstimate()
    for i in range(16):
        link.ping(0.020 if i == 8 else 0.080, i * NS)
        link.transfer(50_000, 0.082, 0.012, i * NS)
    assert link.state(15 * NS).bandwidth == pytest.approx(1e6, rel=0.3)


def test_a_narrower_link_is_known_after_a_few_images():
    link = LinkEstimate()
    for i in range(20):
        link.transfer(50_000, 0.05, 0.0, i * NS // 10)
    for i in range(20, 28):
        link.transfer(50_000, 0.5, 0.0, i * NS // 10)
    assert link.state(3 * NS).bandwidth == pytest.approx(100_000, rel=0.2)


def test_a_round_trip_that_nobody_made_lately_is_not_known():
    link = LinkEstimate()
    assert math.isnan(link.state(0).rtt)
    link.ping(0.02, NS)
    assert link.state(2 * NS).rtt == pytest.approx(0.02)
    assert math.isnan(link.state(7 * NS).rtt)
