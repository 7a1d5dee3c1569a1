from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_ai.capture.pacing import Pacer, RateCap, Verdict
from edge_ai.core.clock import NS

MS = NS // 1000


def test_frames_are_due_at_the_start_plus_their_media_time() -> None:
    pacer = Pacer(0.1)
    assert pacer.plan(0.0, 5 * NS).due_ns == 5 * NS
    plan = pacer.plan(0.1, 5 * NS + 30 * MS)
    assert (plan.verdict, plan.due_ns, plan.wait_s) == (Verdict.SHOW, 5 * NS + 100 * MS, 0.07)


def test_a_frame_a_little_late_is_shown_with_its_own_time() -> None:
    pacer = Pacer(0.1)
    pacer.plan(0.0, 0)
    plan = pacer.plan(0.1, 199 * MS)
    assert (plan.verdict, plan.due_ns, plan.wait_s) == (Verdict.SHOW, 100 * MS, 0.0)


def test_frames_whose_successor_is_due_are_skipped() -> None:
    pacer = Pacer(0.1)
    pacer.plan(0.0, 0)
    verdicts = [pacer.plan(i / 10, 450 * MS).verdict for i in range(1, 6)]
    assert verdicts == [Verdict.SKIP] * 3 + [Verdict.SHOW] * 2


def test_skipping_that_gains_nothing_ends_and_the_timetable_slips() -> None:
    pacer, now = Pacer(0.1), 0
    shown = []
    for i in range(40):  # decoding takes 130 ms a frame of 100 ms: no skipping can help
        plan = pacer.plan(i / 10, now)
        if plan.verdict is Verdict.SHOW:
            shown.append(i)
            assert now - plan.due_ns < 100 * MS
        now += round(plan.wait_s * NS) + 130 * MS
    assert max(b - a for a, b in pairwise(shown)) <= 2


def test_skipping_that_gains_too_slowly_ends_after_a_second() -> None:
    pacer, now, skipped = Pacer(0.1), 0, 0
    pacer.plan(0.0, now)
    now = 5 * NS  # a long hiccup; after it each frame decodes in 95 of its 100 ms
    i = 1
    while pacer.plan(i / 10, now).verdict is Verdict.SKIP:
        i, skipped, now = i + 1, skipped + 1, now + 95 * MS
    assert 10 <= skipped <= 12
    assert pacer.plan((i + 1) / 10, now).wait_s == 0.1


def test_left_is_the_rest_of_the_last_frame() -> None:
    pacer = Pacer(0.1)
    pacer.plan(0.0, 0)
    assert pacer.left(40 * MS) == 0.06
    assert pacer.left(200 * MS) == 0.0


def test_no_cap_lets_all_through() -> None:
    cap = RateCap(0.0)
    assert all(cap.accepts(i) for i in range(10))


def test_a_cap_takes_every_third_of_a_jittering_camera() -> None:
    cap, jitter = RateCap(10.0), [0, 2, -2, 1, -3, 3, -1]
    taken = [i for i in range(90) if cap.accepts(i * NS // 30 + jitter[i % 7] * MS)]
    assert taken == list(range(0, 90, 3))


@given(st.floats(0.5, 100), st.lists(st.integers(1, NS), min_size=2, max_size=200))
def test_a_cap_is_kept_whatever_the_intervals(rate: float, gaps: list[int]) -> None:
    cap, now, taken = RateCap(rate), 0, []
    for gap in gaps:
        now += gap
        if cap.accepts(now):
            taken.append(now)
    assert len(taken) <= (taken[-1] - taken[0]) / NS * rate + 1.2


def test_a_capped_camera_of_no_whole_multiple_reaches_the_cap_on_average() -> None:
    cap = RateCap(20.0)
    assert 198 <= sum(cap.accepts(i * NS // 30) for i in range(300)) <= 201


def taken(cap: RateCap, begin: int, end: int, rate: int = 30) -> list[int]:
    """Which frames of a camera of so many a second pass."""
    return [i for i in range(begin, end) if cap.accepts(i * NS // rate)]


def test_a_cap_that_changes_counts_from_the_last_frame_that_passed() -> None:
    cap = RateCap(0.0)
    assert taken(cap, 0, 4) == [0, 1, 2, 3]
    cap.change(10.0)
    assert taken(cap, 4, 13) == [6, 9, 12]
    cap.change(5.0)
    assert taken(cap, 13, 25) == [18, 24]
    cap.change(15.0)
    assert taken(cap, 25, 31) == [26, 28, 30]
    cap.change(0.0)
    assert taken(cap, 31, 34) == [31, 32, 33]


def test_a_cap_that_is_set_to_what_it_is_keeps_its_beat() -> None:
    cap, passed = RateCap(10.0), []
    for i in range(30):
        cap.change(10.0)
        passed += [i] if cap.accepts(i * NS // 30) else []
    assert passed == list(range(0, 30, 3))


@given(st.lists(st.tuples(st.floats(0.5, 60), st.integers(1, 20)), min_size=1, max_size=20))
def test_however_often_a_cap_changes_no_two_frames_come_closer_than_the_highest_allows(
    changes: list[tuple[float, int]],
) -> None:
    cap, now, passed = RateCap(changes[0][0]), 0, []
    for rate, frames in changes:
        cap.change(rate)
        for _ in range(frames):
            now += NS // 100
            if cap.accepts(now):
                passed.append(now)
    shortest = min((b - a for a, b in pairwise(passed)), default=NS)
    highest = max(rate for rate, _ in changes)
    # A tenth of a period early is on time, and the frame after one that came late is due on the old beat.
    assert shortest >= min(NS // 100, round(0.1 * NS / highest))
