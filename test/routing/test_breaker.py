"""The breaker, on a clock that moves only when told to."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.core.clock import ManualClock
from edge_ai.routing.breaker import Breaker

PAUSE, LONGEST, RAMP = 1.0, 8.0, 5.0


def made(clock=None, seed=1, failures=3, ramp=RAMP, **more):
    clock = clock or ManualClock()
    return Breaker(failures, PAUSE, LONGEST, ramp, clock, random.Random(seed), **more), clock


def opened(**more):
    breaker, clock = made(**more)
    while breaker.state != "open":
        breaker.failure("no route")
    return breaker, clock


def pause_of(breaker, clock, step=0.001):
    """Let the pause pass; how long it was, seconds."""
    seconds = 0.0
    while breaker.state == "open":
        clock.advance(step)
        seconds += step
    return seconds


def test_it_opens_only_after_failures_in_a_row():
    breaker, _ = made()
    for _ in range(5):
        breaker.failure("late")
        breaker.failure("late")
        breaker.success()
    assert (breaker.state, breaker.why, breaker.admits(), breaker.opened) == ("closed", "", True, 0)
    for _ in range(3):
        breaker.failure("late")
    assert (breaker.state, breaker.admits(), breaker.ready, breaker.opened) == ("open", False, False, 1)
    assert "next trial in" in breaker.why
    assert breaker.why.endswith("after: late")


def test_half_open_one_trial_goes_at_a_time():
    breaker, clock = opened()
    pause_of(breaker, clock)
    assert breaker.state == "half-open"
    assert breaker.ready
    assert "is due" in breaker.why
    assert [breaker.admits() for _ in range(4)] == [True, False, False, False]
    assert not breaker.ready
    assert "under way" in breaker.why


def test_a_trial_that_is_lost_or_abandoned_makes_room_for_the_next():
    breaker, clock = opened(trial_timeout=0.5)
    pause_of(breaker, clock)
    assert breaker.admits()
    breaker.abandoned()
    assert breaker.admits()
    clock.advance(0.49)
    assert not breaker.admits()
    clock.advance(0.02)
    assert breaker.admits()
    assert (breaker.state, breaker.opened) == ("half-open", 1)


def test_pauses_double_up_to_the_longest_and_start_anew_after_a_full_recovery():
    longest = [0.0] * 6
    for seed in range(60):
        breaker, clock = opened(seed=seed)
        for trial in range(6):
            longest[trial] = max(longest[trial], pause_of(breaker, clock, step=0.02))
            assert breaker.admits()
            breaker.failure("still gone")
    for reached, ceiling in zip(longest, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.75 * ceiling < reached <= ceiling + 0.03
    pause_of(breaker, clock)
    breaker.admits()
    breaker.success()
    clock.advance(RAMP)
    assert breaker.state == "closed"
    for _ in range(3):
        breaker.failure("again")
    assert pause_of(breaker, clock) <= PAUSE + 0.01


def test_robots_that_lose_a_server_together_do_not_try_it_together():
    pauses = []
    for seed in range(300):
        breaker, clock = opened(seed=seed)
        pauses.append(pause_of(breaker, clock, step=0.01))
    tenths = [sum(tenth / 10 <= pause < (tenth + 1) / 10 for pause in pauses) for tenth in range(10)]
    assert max(tenths) < 3 * 300 / 10


def test_after_a_good_trial_the_share_grows_until_all_go():
    shares = []
    breaker, clock = opened()
    pause_of(breaker, clock)
    assert breaker.admits()
    breaker.success()
    assert breaker.state == "recovering"
    for _ in range(5):
        clock.advance(RAMP / 10)
        shares.append(sum(breaker.admits() for _ in range(2000)) / 2000)
        breaker.success()
        clock.advance(RAMP / 10)
    assert shares == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9], abs=0.05)
    assert (breaker.state, breaker.why) == ("closed", "")
    assert all(breaker.admits() for _ in range(100))


def test_no_ramp_closes_at_once():
    breaker, clock = opened(ramp=0.0)
    pause_of(breaker, clock)
    breaker.admits()
    breaker.success()
    assert breaker.state == "closed"


def test_failures_while_it_recovers_open_it_again_for_longer():
    reached = 0.0
    for seed in range(40):
        breaker, clock = opened(seed=seed)
        pause_of(breaker, clock, step=0.02)
        breaker.admits()
        breaker.success()
        clock.advance(1)
        assert "recovering, 20 %" in breaker.why
        for _ in range(3):
            assert breaker.state == "recovering"
            breaker.failure("overloaded")
        assert (breaker.state, breaker.opened) == ("open", 2)
        reached = max(reached, pause_of(breaker, clock, step=0.02))
    assert PAUSE < reached <= 2 * PAUSE + 0.03


def test_stragglers_are_not_taken_for_the_trial():
    breaker, clock = made()
    before = clock.steady_ns()
    clock.advance(0.1)
    for _ in range(3):
        breaker.failure("late")
    pause_of(breaker, clock)
    trial = clock.steady_ns()
    assert breaker.admits()
    breaker.failure("late", before)
    breaker.success(before)
    breaker.abandoned(before)
    assert (breaker.state, breaker.admits()) == ("half-open", False)
    breaker.success(trial)
    assert breaker.state == "recovering"


def test_what_is_told_while_open_changes_nothing():
    breaker, _ = opened()
    why = breaker.why
    breaker.success()
    breaker.failure("late")
    breaker.abandoned()
    assert (breaker.state, breaker.why, breaker.opened) == ("open", why, 1)


@given(
    st.lists(st.one_of(st.sampled_from(["admits", "success", "failure", "abandoned"]), st.floats(0, 20)), max_size=200),
    st.integers(0, 3),
    st.floats(0, 5),
)
def test_it_never_raises_and_never_gets_stuck(steps, failures, ramp):
    breaker, clock = made(failures=failures, ramp=ramp)
    for step in steps:
        if isinstance(step, float):
            clock.advance(step)
        else:
            getattr(breaker, step)(*(["why"] if step == "failure" else []))
        state = breaker.state
        assert bool(breaker.why) == (state != "closed")
        assert state != "open" or not breaker.admits()
    clock.advance(LONGEST + 1)
    if breaker.state == "half-open":
        assert breaker.admits()
        breaker.success()
    clock.advance(ramp)
    assert breaker.state == "closed"


def test_of_many_threads_one_gets_the_trial():
    breaker, clock = opened(trial_timeout=3600)
    pause_of(breaker, clock)
    admitted, together = [], threading.Barrier(8)

    def ask():
        together.wait()
        admitted.extend(breaker.admits() for _ in range(100))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.count(True) == 1


def test_the_seconds_to_the_next_trial_count_down():
    breaker, clock = opened(seed=2)
    first = float(breaker.why.split("in ")[1].split(" s")[0])
    clock.advance(0.3)
    assert float(breaker.why.split("in ")[1].split(" s")[0]) == pytest.approx(first - 0.3, abs=0.11)
