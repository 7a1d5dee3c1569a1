from hypothesis import given
from hypothesis import strategies as st

from edge_ai.batching.rate_limit import RateLimit
from edge_ai.core.clock import NS


@given(st.floats(0.5, 200), st.lists(st.integers(0, NS // 10), min_size=1, max_size=300))
def test_never_more_than_the_rate(rate, gaps):
    limit, now, allowed = RateLimit(rate), 5 * NS, []
    for gap in gaps:
        now += gap
        if limit.allows(now):
            allowed.append(now)
    for i in range(len(allowed)):
        # From any one on: an item an interval, one of them half an interval early.
        assert (len(allowed) - 1 - i) * NS / rate <= allowed[-1] - allowed[i] + 0.5 * NS / rate + len(allowed)


def test_a_camera_at_the_capped_rate_loses_nothing_to_jitter():
    limit, jitter = RateLimit(30), (0, 8_000_000, -8_000_000, 3_000_000)
    assert all(limit.allows(NS + i * NS // 30 + jitter[i % 4]) for i in range(300))


def test_a_camera_three_times_too_fast_keeps_every_third_image():
    limit = RateLimit(10)
    assert [limit.allows(NS + i * NS // 30) for i in range(301)].count(True) in (100, 101, 102)
