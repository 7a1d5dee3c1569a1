import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ai.batching.fair_queue import FairQueue, Share
from edge_ai.core.errors import ParameterError

SOURCES = ("a", "b", "c", "d")
weights = st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0, 5.0])


def served(queue, count):
    return [queue.pop()[0] for _ in range(count)]


def test_first_come_first_served_within_a_source():
    queue = FairQueue()
    for number in range(5):
        queue.push("a", number)
    assert [queue.pop() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError):
        queue.pop()


@pytest.mark.parametrize(("weight", "max_rate"), [(0, 0), (-1, 0), (float("inf"), 0), (float("nan"), 0), (1, -1)])
def test_a_share_that_is_none_is_refused(weight, max_rate):
    with pytest.raises(ParameterError, match="of a source"):
        Share(weight, 0, max_rate)


@given(st.lists(weights, min_size=2, max_size=4), st.integers(1, 200))
def test_backlogged_sources_share_by_weight_within_one_quantum(weights, count):
    """Theorem 1 of the paper: normalised service of two backlogged flows differs by 1 / w1 + 1 / w2 at most."""
    shares = {source: Share(weight) for source, weight in zip(SOURCES, weights, strict=False)}
    queue = FairQueue(shares)
    for source in shares:
        for _ in range(200):
            queue.push(source, (source,))
    got = served(queue, count)
    for one, first in shares.items():
        for other, second in shares.items():
            apart = got.count(one) / first.weight - got.count(other) / second.weight
            assert abs(apart) <= 1 / first.weight + 1 / second.weight + 1e-9


@given(st.lists(weights, min_size=2, max_size=4), st.integers(10, 100))
def test_sources_that_keep_only_one_waiting_share_alike(weights, count):
    """Cameras: each has its next item there as soon as the one before was taken."""
    shares = {source: Share(weight) for source, weight in zip(SOURCES, weights, strict=False)}
    queue, got = FairQueue(shares), []
    for source in shares:
        queue.push(source, (source,))
    for _ in range(count):
        (source,) = queue.pop()
        got.append(source)
        queue.push(source, (source,))
    for one, first in shares.items():
        for other, second in shares.items():
            apart = got.count(one) / first.weight - got.count(other) / second.weight
            assert abs(apart) <= 2 * (1 / first.weight + 1 / second.weight)


def test_silence_saves_nothing_up():
    queue = FairQueue()
    for _ in range(100):
        queue.push("a", ("a",))
    served(queue, 50)
    for _ in range(50):
        queue.push("b", ("b",))
    assert served(queue, 20).count("b") == 10


@given(st.lists(st.tuples(st.sampled_from(SOURCES), st.booleans()), max_size=200), st.data())
def test_priorities_are_strict_and_nothing_is_lost(steps, data):
    ranks = {source: data.draw(st.integers(-1, 2)) for source in SOURCES}
    queue = FairQueue({source: Share(1.0, rank) for source, rank in ranks.items()})
    inside = []
    for number, (source, taking) in enumerate(steps):
        if taking and inside:
            item = queue.pop()
            assert ranks[item[0]] == max(ranks[other[0]] for other in inside)
            assert item == min(other for other in inside if other[0] == item[0])
            inside.remove(item)
        else:
            queue.push(source, (source, number))
            inside.append((source, number))
        assert len(queue) == len(inside)
    assert sorted(queue) == sorted(inside)
    assert sorted(queue.clear()) == sorted(inside)
    assert len(queue) == 0


@given(
    st.lists(st.tuples(st.sampled_from(SOURCES), st.sampled_from(["push", "replace", "remove", "pop"])), max_size=200)
)
def test_its_books_balance_whatever_is_done(steps):
    queue, model = FairQueue({"a": Share(2.0), "b": Share(1.0, 1)}), {source: [] for source in SOURCES}
    for number, (source, step) in enumerate(steps):
        item = (source, number)
        if step == "push":
            queue.push(source, item)
            model[source].append(item)
        elif step == "replace":
            assert queue.replace(source, item) == model[source]
            model[source] = [item]
        elif step == "remove" and model[source]:
            queue.remove(source, model[source].pop())
        elif step == "pop" and len(queue):
            popped = queue.pop()
            assert model[popped[0]].pop(0) == popped
        assert len(queue) == sum(map(len, model.values()))
        assert sorted(queue.heads()) == sorted(waiting[0] for waiting in model.values() if waiting)
        assert list(queue.waiting(source)) == model[source]


def test_what_replaces_keeps_the_turn():
    queue = FairQueue()
    queue.push("a", "a1")
    queue.push("b", "b1")
    assert queue.replace("a", "a2") == ["a1"]
    assert [queue.pop(), queue.pop()] == ["a2", "b1"]


def test_what_is_removed_costs_its_source_nothing():
    queue = FairQueue()
    for number in range(4):
        queue.push("a", ("a", number))
        queue.push("b", ("b", number))
    queue.remove("a", ("a", 0))
    queue.remove("a", ("a", 1))
    assert served(queue, 4) == ["a", "b", "a", "b"]
    with pytest.raises(ValueError, match="nobody"):
        queue.remove("nobody", 1)
