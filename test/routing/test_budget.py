import threading

from hypothesis import given
from hypothesis import strategies as st

from edge_ai.routing.budget import ShareBudget


def test_it_starts_with_a_burst_and_then_pays_by_share():
    budget = ShareBudget(0.1, 5)
    assert [budget.take() for _ in range(6)] == [True] * 5 + [False]
    for _ in range(10):
        assert not budget.take()
        budget.deposit()
    assert budget.take()
    assert not budget.take()
    assert budget.refused == 12


def test_no_more_than_the_burst_is_kept():
    budget = ShareBudget(0.5, 2)
    for _ in range(1000):
        budget.deposit()
    assert sum(budget.take() for _ in range(10)) == 2


def test_a_share_of_nothing_allows_nothing_and_can_be_changed_at_any_time():
    budget = ShareBudget(0.0, 3)
    assert not budget.take()
    budget.share = 1.0
    assert budget.share == 1.0
    assert budget.take()
    budget.share = 0.0
    assert not budget.take()


@given(st.lists(st.booleans(), max_size=400), st.floats(0, 1), st.integers(1, 10))
def test_extra_requests_stay_below_the_share(requests, share, burst):
    budget = ShareBudget(share, burst)
    ordinary = extra = 0
    for is_extra in requests:
        if is_extra:
            extra += budget.take()
        else:
            budget.deposit()
            ordinary += 1
        assert extra <= burst + share * ordinary + 1e-6


def test_threads_take_no_token_twice():
    budget = ShareBudget(0.5, 1000)
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(sum(budget.take() for _ in range(500)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1000
