import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_ai.batching.adaptive import AdaptivePolicy
from edge_ai.batching.batcher import Batcher
from edge_ai.batching.fair_queue import Share
from edge_ai.batching.policy import FixedPolicy
from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import InferenceError, ParameterError


class Engine:
    """Doubles numbers; what it is given stands in `batches`. It can be held up and told what to choke on."""

    def __init__(self, chokes_on=()):
        self.batches, self._chokes_on = [], set(chokes_on)
        self.entered, self.gate = threading.Semaphore(0), threading.Event()
        self.gate.set()

    def __call__(self, items):
        self.batches.append(list(items))
        self.entered.release()
        assert self.gate.wait(10)
        if self._chokes_on & set(items):
            raise ValueError(f"choked on {items}")
        return [2 * item for item in items]


@pytest.fixture
def make():
    batchers = []

    def make(engine, policy=None, **options):
        batchers.append(Batcher(lambda: engine, policy or FixedPolicy(), **options))
        batchers[-1].start()
        return batchers[-1]

    yield make
    for batcher in batchers:
        batcher.stop()


@pytest.fixture
def held(make):
    """A batcher whose engine is at work on item 0 until `gate` is set, so that what is submitted waits."""

    def held(policy=None, chokes_on=(), **options):
        engine = Engine(chokes_on)
        engine.gate.clear()
        batcher = make(engine, policy, **options)
        batcher.submit(0, source="first")
        assert engine.entered.acquire(timeout=10)
        return batcher, engine

    return held


def until(condition):
    limit = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.001)


def test_results_go_to_whoever_asked(make):
    batcher = make(Engine(), FixedPolicy(4, 0.001), workers=2)
    tickets = [batcher.submit(i) for i in range(40)]
    assert [ticket.result(10) for ticket in tickets] == [2 * i for i in range(40)]
    assert batcher.counts.processed == batcher.counts.submitted == 40


def test_what_waits_goes_together_up_to_the_size(held):
    batcher, engine = held(FixedPolicy(3))
    tickets = [batcher.submit(i) for i in range(1, 8)]
    engine.gate.set()
    assert [ticket.result(10) for ticket in tickets] == [2 * i for i in range(1, 8)]
    assert engine.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]
    assert batcher.counts.batches == {1: 2, 3: 2}


def test_a_batch_waits_until_it_is_full(make):
    engine = Engine()
    batcher = make(engine, FixedPolicy(3, 30))
    tickets = [batcher.submit(i) for i in range(3)]
    assert [ticket.result(10) for ticket in tickets] == [0, 2, 4]
    assert engine.batches == [[0, 1, 2]]


def test_or_until_its_first_item_has_waited(make):
    clock, engine = ManualClock(), Engine()
    batcher = make(engine, FixedPolicy(3, 0.005), clock=clock)
    ticket = batcher.submit(1)
    with pytest.raises(TimeoutError):
        ticket.result(0.02)
    clock.advance(0.005)
    assert ticket.result(10) == 2


def test_a_deadline_that_comes_in_ends_the_wait(make):
    clock = ManualClock()
    batcher = make(Engine(), FixedPolicy(3, 30), clock=clock)
    first = batcher.submit(1)
    until(lambda: batcher.waiting)
    second = batcher.submit(2, deadline_ns=clock.steady_ns() + 1)
    assert (first.result(10), second.result(10)) == (2, 4)


def test_a_newer_item_of_a_camera_takes_the_place_of_the_older(held):
    batcher, engine = held()
    ended = []
    tickets = [batcher.submit(i, source="eye", latest=True, on_done=ended.append) for i in (1, 2, 3)]
    assert batcher.waiting == 1
    assert ended == tickets[:2]
    engine.gate.set()
    assert tickets[2].result(10) == 6
    assert [ticket.reason for ticket in tickets] == ["replaced", "replaced", None]
    assert batcher.counts.sources["eye"].dropped == {"replaced": 2}
    assert engine.batches == [[0], [3]]


def test_patience_lets_the_older_go_first(held):
    batcher, engine = held()
    first = batcher.submit(1, source="eye", latest=True)
    threading.Timer(0.02, engine.gate.set).start()
    second = batcher.submit(2, source="eye", latest=True, patience=10)
    assert (first.result(10), second.result(10)) == (2, 4)


def test_patience_waits_for_room(held):
    batcher, engine = held(capacity=1)
    first = batcher.submit(1)
    assert batcher.submit(2).reason == "full"
    threading.Timer(0.02, engine.gate.set).start()
    second = batcher.submit(3, patience=10)
    assert (first.result(10), second.result(10)) == (2, 6)


def test_a_bad_item_fails_alone(held):
    batcher, engine = held(FixedPolicy(4), chokes_on=[2])
    tickets = [batcher.submit(i) for i in (1, 2, 3)]
    engine.gate.set()
    assert (tickets[0].result(10), tickets[2].result(10)) == (2, 6)
    with pytest.raises(ValueError, match="choked"):
        tickets[1].result(10)
    counts = batcher.counts
    assert (counts.processed, counts.failed, counts.retried) == (3, 1, 1)
    assert engine.batches == [[0], [1, 2, 3], [1], [2], [3]]


def test_a_runner_that_loses_outputs_has_failed(make):
    ticket = make(lambda items: []).submit(1)
    with pytest.raises(InferenceError, match="0 outputs; wanted 1"):
        ticket.result(10)


def test_cancelled_items_are_not_in_the_batch(held):
    batcher, engine = held(FixedPolicy(4))
    tickets = [batcher.submit(i) for i in (1, 2, 3)]
    assert tickets[1].cancel()
    engine.gate.set()
    assert tickets[2].result(10) == 6
    assert engine.batches == [[0], [1, 3]]
    assert not tickets[2].cancel()
    assert (batcher.counts.dropped, tickets[1].ended) == ({"cancelled": 1}, True)


def test_what_came_too_late_is_never_run(held):
    clock = ManualClock()
    batcher, engine = held(clock=clock)
    late = batcher.submit(1, deadline_ns=clock.steady_ns() + NS)
    good = batcher.submit(2, deadline_ns=clock.steady_ns() + 3 * NS)
    clock.advance(2)
    assert batcher.submit(3, deadline_ns=clock.steady_ns()).reason == "expired"
    engine.gate.set()
    assert good.result(10) == 4
    assert (late.reason, engine.batches) == ("expired", [[0], [2]])


def test_a_callback_that_raises_holds_nobody_up(make):
    def callback(ticket):
        raise RuntimeError("of its own")

    batcher = make(Engine())
    batcher.submit(1, source="bad", on_done=callback)
    assert batcher.submit(2, source="good").result(10) == 4
    assert batcher.counts.sources["bad"].processed == 1


def test_priority_goes_first_and_weights_share_the_rest(held):
    shares = {"stop": Share(priority=1), "a": Share(weight=3), "b": Share(weight=1)}
    batcher, engine = held(shares=shares)
    for i in range(40):
        batcher.submit(100 + i, source="a")
        batcher.submit(200 + i, source="b")
    urgent = [batcher.submit(300 + i, source="stop") for i in range(2)]
    engine.gate.set()
    assert urgent[1].result(10) == 602
    until(lambda: batcher.waiting == 0)
    order = [items[0] for items in engine.batches[1:]]
    assert order[:2] == [300, 301]
    assert 29 <= sum(item < 200 for item in order[2:42]) <= 31


def test_four_cameras_share_alike_and_a_fifth_that_hangs_changes_nothing(held):
    """Each camera has its next image there as soon as the one before was taken."""
    batcher, engine = held(FixedPolicy(2))
    names, left = ("a", "b", "c", "d"), threading.Semaphore(100)
    done = dict.fromkeys(names, 0)
    finished = threading.Event()

    def again(ticket):
        done[ticket.source] += 1
        if left.acquire(blocking=False):
            batcher.submit(1, source=ticket.source, latest=True, on_done=again)
        else:
            finished.set()

    for name in names:
        batcher.submit(1, source=name, latest=True, on_done=again)
    batcher.submit(1, source="hangs", latest=True)
    engine.gate.set()
    assert finished.wait(10)
    assert max(done.values()) - min(done.values()) <= 1


def test_a_worker_that_comes_free_has_the_newest_submitted_first(held):
    newest = iter(range(10, 13))

    def refresh():
        if (item := next(newest, None)) is not None:
            batcher.submit(item, latest=True, on_done=end)

    def end(ticket):
        done.append(ticket)
        if len(done) == 3:
            third.set()

    done, batcher, third = [], None, threading.Event()
    batcher, engine = held(refresh=lambda: batcher and refresh())
    engine.gate.set()
    assert third.wait(10)
    assert [ticket.item for ticket in done] == [10, 11, 12]


@pytest.mark.parametrize("bad", ["tune", "refresh"])
def test_a_worker_outlives_a_policy_and_a_refresh_that_raise(make, monkeypatch, bad):
    def fail(*_):
        raise ValueError("bad")

    policy = FixedPolicy()
    options = {"refresh": fail} if bad == "refresh" else {}
    if bad == "tune":
        monkeypatch.setattr(FixedPolicy, "tune", fail)
    batcher = make(Engine(), policy, **options)
    assert [batcher.submit(item).result(10) for item in (1, 2)] == [2, 4]


def test_it_is_idle_when_a_worker_has_nothing_to_do(held):
    batcher, engine = held()
    assert not batcher.wait_idle(0.05)
    engine.gate.set()
    assert batcher.wait_idle(10)
    batcher.stop()
    assert batcher.wait_idle(0)


def test_stopping_drops_what_waits_and_refuses_what_comes(held):
    batcher, engine = held()
    ended = []
    waits = batcher.submit(1, on_done=ended.append)
    threading.Timer(0.02, engine.gate.set).start()
    batcher.stop()
    assert (waits.reason, ended, batcher.waiting) == ("closed", [waits], 0)
    assert batcher.submit(2).reason == "closed"
    assert engine.batches == [[0]]
    batcher.stop()


def test_it_can_be_stopped_from_a_callback(make):
    batcher = make(Engine())
    stopped = threading.Event()
    batcher.submit(1, on_done=lambda ticket: (batcher.stop(), stopped.set()))
    assert stopped.wait(10)
    until(lambda: not any(thread.name == "infer-0" for thread in threading.enumerate()))


def test_a_runner_that_cannot_be_made_is_said_at_the_start():
    def make_runner():
        raise InferenceError("no engine")

    batcher = Batcher(make_runner, FixedPolicy(), workers=2, name="never")
    with pytest.raises(InferenceError, match="no engine"):
        batcher.start()
    assert not any(thread.name.startswith("never") for thread in threading.enumerate())
    assert batcher.submit(1).reason == "closed"


def test_every_worker_has_its_own_runner():
    engines = []

    def make_runner():
        engines.append(Engine())
        return engines[-1]

    batcher = Batcher(make_runner, FixedPolicy(), workers=3)
    batcher.start()
    assert len(engines) == 3
    for engine in engines:
        engine.gate.clear()
    tickets = [batcher.submit(i) for i in range(3)]
    until(lambda: sum(len(engine.batches) for engine in engines) == 3)
    for engine in engines:
        engine.gate.set()
    assert [ticket.result(10) for ticket in tickets] == [0, 2, 4]
    assert [len(engine.batches) for engine in engines] == [1, 1, 1]
    batcher.stop()


@pytest.mark.parametrize("options", [{"workers": 0}, {"capacity": 0}])
def test_nonsense_is_refused(options):
    with pytest.raises(ParameterError, match="at least 1"):
        Batcher(Engine, FixedPolicy(), **options)


steps = st.tuples(
    st.integers(0, 30),
    st.sampled_from(["a", "b", "c"]),
    st.booleans(),
    st.sampled_from([None, None, 0.0, 1e-4, 10.0]),
    st.booleans(),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(steps, max_size=60), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0, 5e-4, None]))
def test_every_item_ends_exactly_once(steps, size, workers, wait):
    """Whatever is submitted and taken back, from two threads at once, and whatever the engine chokes on."""
    engine = Engine(chokes_on=[3, 5])
    shares = {"a": Share(2.0, 1), "b": Share(max_rate=2000)}
    policy = AdaptivePolicy(size) if wait is None else FixedPolicy(size, wait)
    batcher = Batcher(lambda: engine, policy, workers=workers, shares=shares, capacity=4)
    batcher.start()
    ended, tickets = [], []

    def send(own):
        for item, source, latest, left, taken_back in own:
            deadline = None if left is None else time.monotonic_ns() + round(left * NS)
            ticket = batcher.submit(item, source=source, latest=latest, deadline_ns=deadline, on_done=ended.append)
            tickets.append(ticket)
            if taken_back:
                ticket.cancel()

    threads = [threading.Thread(target=send, args=(steps[i::2],)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.stop()
    counts = batcher.counts
    assert len(ended) == len(set(map(id, ended))) == len(steps)
    assert counts.submitted == len(steps) == counts.processed + counts.failed + sum(counts.dropped.values())
    for ticket in tickets:
        assert ticket.state == ("dropped" if ticket.reason else "failed" if ticket.error else "done")
        assert (ticket.state == "done") == (ticket.output == 2 * ticket.item)
        assert ticket.error is None or ticket.item in (3, 5)
