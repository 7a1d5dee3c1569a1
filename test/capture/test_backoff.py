import random

from hypothesis import given
from hypothesis import strategies as st

from edge_ai.capture.backoff import Backoff


@given(st.integers(0, 2**32), st.floats(0.01, 5), st.floats(1, 10), st.floats(5, 60))
def test_pauses_lie_between_half_and_all_of_the_exponential(
    seed: int, initial: float, factor: float, maximum: float
) -> None:
    backoff = Backoff(initial, factor, maximum, random.Random(seed))
    for tries in range(12):
        whole = min(initial * factor**tries, maximum)
        assert whole / 2 * 0.999 <= backoff.pause() <= whole * 1.001


def test_jitter_differs_between_robots() -> None:
    pauses = {Backoff(1.0, 2.0, 10.0, random.Random(seed)).pause() for seed in range(20)}
    assert len(pauses) == 20


def test_only_a_long_stream_resets_the_pause() -> None:
    backoff = Backoff(1.0, 10.0, 10.0)
    backoff.pause()
    backoff.streamed(2.0)
    assert backoff.pause() >= 5.0
    backoff.streamed(11.0)
    assert backoff.pause() <= 1.0
