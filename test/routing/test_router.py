"""The router with sides that answer when told to, on a clock that moves when told to."""

import random

import numpy as np
import pytest

from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import ImageError, InferenceError, ParameterError
from edge_ai.core.types import Detections, Frame, FrameHeader, Result
from edge_ai.routing.alarms import Alarms
from edge_ai.routing.cloud.base import CloudAnswerError, CloudRequestError, CloudUnreachableError
from edge_ai.routing.decision import Decision, Load, Where
from edge_ai.routing.params import RouterParams
from edge_ai.routing.router import Router
from edge_ai.routing.side import Outcome


class Call:
    def __init__(self, side, frame, deadline_ns, done):
        self.side, self.frame, self.deadline_ns, self.done = side, frame, deadline_ns, done
        self.cancelled = False

    def cancel(self):
        self.cancelled = True

    def answer(self, score=0.9, **outcome):
        found = Detections(np.zeros((1, 4), np.float32), np.array([score], np.float32), np.zeros(1, np.int32), ("x",))
        result = Result(self.frame.header, found, "model", "1", self.side.name, {"infer": 0.01})
        self.done(Outcome(result=result, **outcome))

    def fail(self, error=None):
        self.done(Outcome(error=error or InferenceError("out of order")))

    def drop(self):
        self.done(Outcome(dropped=True))


class Side:
    def __init__(self, name):
        self.name, self.calls, self.unready = name, [], ""
        self.at_once = None

    def ask(self, frame, deadline_ns, done):
        call = Call(self, frame, deadline_ns, done)
        self.calls.append(call)
        if self.at_once is not None:
            self.at_once(call)
        return call

    def expected_bytes(self, frame):
        return 0.0

    def __getitem__(self, i):
        return self.calls[i]

    def __len__(self):
        return len(self.calls)


class World:
    def __init__(self, **params):
        self.clock = ManualClock()
        self.alarms = Alarms(self.clock)
        self.edge, self.cloud = Side("edge"), Side("grpc://cloud:1")
        self.results, self.errors = [], []
        self.router = Router(
            self.edge,
            self.cloud,
            RouterParams(**{"policy": "rules", "min_confidence": 0.0, "deadline": 0.25, **params}),
            self.clock,
            on_result=lambda result, frame: self.results.append(result),
            on_error=lambda frame, error: self.errors.append(error),
            alarms=self.alarms,
            rng=random.Random(1),
        )
        self.index = 0

    def frame(self, camera="", age=0.0, width=640, height=480):
        at = self.clock.steady_ns() - round(age * NS)
        self.index += 1
        header = FrameHeader(self.index, at, "optical", self.index, width, height)
        return Frame(header, np.zeros((height, width, 3), np.uint8), camera=camera)

    def offer(self, wait=0.0, **frame):
        decision = self.router.offer(self.frame(**frame))
        self.pass_time(wait)
        return decision

    def pass_time(self, seconds):
        end = self.clock.steady_ns() + round(seconds * NS)
        while self.clock.steady_ns() < end:
            self.clock.advance(min(0.001, (end - self.clock.steady_ns()) / NS))
            self.alarms.run_due(self.clock.steady_ns())

    @property
    def counts(self):
        return self.router.status.counts

    def learn(self, edge=0.03, cloud=0.05, times=30):
        """Let both sides be measured."""
        for where, side, seconds in (("edge", self.edge, edge), ("cloud", self.cloud, cloud)):
            self.change(override=where, hedge_after=10.0)
            for _ in range(times):
                self.offer()
                self.pass_time(seconds)
                side[-1].answer()
                self.pass_time(0.001)
        self.change(override="auto", hedge_after=0.0)
        self.results.clear()
        self.edge.calls.clear()
        self.cloud.calls.clear()

    def change(self, **params):
        self.router.update(self.router._params.changed(**params))


@pytest.fixture
def world():
    return World()


def test_an_answer_of_the_edge_carries_frame_source_decision_and_timings(world):
    decision = world.offer()
    world.edge[0].answer()
    (result,) = world.results
    assert (result.header.index, result.source) == (1, "edge")
    assert result.reason == decision.words
    assert decision.where is Where.EDGE
    assert list(result.timings) == ["route", "infer"]
    assert not world.cloud.calls
    assert not world.alarms


def test_the_cloud_is_asked_and_named(world):
    world.change(override="cloud")
    world.offer()
    world.cloud[0].answer()
    assert world.results[0].source == "grpc://cloud:1"
    assert world.results[0].reason.startswith("cloud: ")
    assert not world.edge.calls
    assert not world.alarms


def test_a_deadline_counts_from_capture(world):
    world.offer(age=0.1)
    header = world.edge[0].frame.header
    assert world.edge[0].deadline_ns == header.steady_ns + round(0.25 * NS)


def test_skipped_frames_are_asked_of_nobody(world):
    world.change(override="skip")
    assert world.offer().where is Where.SKIP
    assert world.counts.decisions[Where.SKIP] == 1
    assert not (world.edge.calls)
    assert not (world.cloud.calls)


@pytest.mark.parametrize("first", ["edge", "cloud"])
def test_when_one_side_fails_the_other_answers_and_the_result_says_so(world, first):
    world.change(override=first)
    world.offer()
    sides = {"edge": world.edge, "cloud": world.cloud}
    sides.pop(first)[0].fail(CloudUnreachableError("no route") if first == "cloud" else None)
    (other,) = sides.values()
    other[0].answer()
    assert world.results[0].source == other.name
    assert f"{first} failed: " in world.results[0].reason
    assert world.counts.failovers == 1
    assert not world.errors


def test_when_both_fail_once_each_the_frame_fails_and_says_why(world):
    world.offer()
    world.edge[0].fail()
    world.cloud[0].fail(CloudAnswerError("HTTP 500"))
    assert not world.results
    assert len(world.edge) == len(world.cloud) == 1
    assert "out of order" in str(world.errors[0])
    assert "HTTP 500" in str(world.errors[0])
    assert world.counts.failed == 1
    assert not world.alarms


def test_a_torn_image_is_not_sent_on_and_speaks_against_nobody(world):
    for _ in range(5):
        world.offer(wait=0.01)
        world.edge[-1].fail(ImageError("torn"))
    assert not world.cloud.calls
    assert len(world.errors) == 5
    assert world.router.status.edge.breaker == "closed"


def test_a_frame_the_edge_drops_for_a_newer_one_is_no_failure(world):
    world.offer(wait=0.01)
    world.offer()
    world.edge[0].drop()
    world.edge[1].answer()
    assert [r.header.index for r in world.results] == [2]
    assert world.counts.dropped == 1
    assert not world.cloud.calls
    assert not world.errors


def test_answers_leave_in_the_order_of_capture_and_an_overtaken_request_is_given_up(world):
    world.change(override="cloud")
    world.offer(wait=0.01)
    world.change(override="edge")
    world.offer(wait=0.01)
    world.edge[0].answer()
    assert [r.header.index for r in world.results] == [2]
    assert world.cloud[0].cancelled
    assert world.counts.overtaken == 1
    world.cloud[0].answer()  # it was too late to stop it
    assert [r.header.index for r in world.results] == [2]
    assert world.router.status.cloud.state.in_flight == 0


def test_with_order_wait_a_ready_answer_waits_for_an_older_one():
    world = World(order_wait=0.1)
    world.change(override="cloud")
    world.offer(wait=0.01)
    world.change(override="edge")
    world.offer(wait=0.01)
    world.edge[0].answer()
    assert world.results == []
    world.pass_time(0.05)
    world.cloud[0].answer()
    assert [r.header.index for r in world.results] == [1, 2]


def test_but_not_for_longer():
    world = World(order_wait=0.05)
    world.change(override="cloud")
    world.offer(wait=0.01)
    world.change(override="edge")
    world.offer(wait=0.01)
    world.edge[0].answer()
    world.pass_time(0.06)
    assert [r.header.index for r in world.results] == [2]
    assert world.counts.overtaken == 1


def test_cameras_do_not_wait_for_each_other():
    world = World(cameras=["front", "rear"], order_wait=10.0)
    world.change(override="cloud")
    world.offer(camera="front", wait=0.01)
    world.change(override="edge")
    world.offer(camera="rear")
    world.edge[0].answer()
    assert [r.header.index for r in world.results] == [2]


def test_a_late_cloud_is_hedged_and_the_first_answer_wins(world):
    world.learn(edge=0.03, cloud=0.05)
    world.change(override="cloud")
    world.offer()
    assert not world.edge.calls
    world.pass_time(0.1)
    assert len(world.edge) == 1
    world.edge[0].answer()
    (result,) = world.results
    assert result.source == "edge"
    assert "hedged" in result.reason
    assert "edge was first" in result.reason
    assert world.cloud[0].cancelled
    counts = world.counts
    assert (counts.hedged, counts.hedges_won) == (1, 1)
    assert world.router.status.cloud.counts.failed == 1


def test_the_cloud_may_still_win_a_hedge(world):
    world.learn()
    world.change(override="cloud")
    world.offer(wait=0.1)
    world.cloud[0].answer()
    assert world.results[0].source == world.cloud.name
    assert world.counts.hedges_won == 0
    world.edge[0].answer()
    assert len(world.results) == 1


def test_hedges_leave_the_edge_time_to_answer(world):
    world.learn(edge=0.1, cloud=0.24)
    world.change(override="cloud")
    world.offer(wait=0.12)
    assert not world.edge.calls
    world.pass_time(0.04)
    assert len(world.edge) == 1


def test_hedges_are_capped_in_the_long_run():
    world = World(hedge_share=0.1, breaker_failures=1000, max_in_flight=256)
    world.learn()
    world.change(override="cloud")
    for _ in range(200):
        world.offer(wait=0.1)
        if world.edge.calls:
            world.edge.calls.pop().answer()
        world.pass_time(0.2)
    assert 20 <= world.counts.hedged <= 35
    assert world.counts.hedges_refused > 100


def test_a_silent_cloud_is_left_alone_and_every_frame_is_answered_here(world):
    """The breaker opens before the hedges run out; then frames go to the edge at once."""
    world.learn()
    world.change(override="cloud")
    world.edge.at_once = lambda call: call.answer()
    for _ in range(100):
        world.offer(wait=0.05)
    world.pass_time(0.3)
    assert not world.errors
    assert len(world.results) + world.counts.overtaken == 100
    assert world.counts.overtaken <= 4  # what was under way when the breaker opened
    assert len(world.cloud) <= 10
    assert {r.source for r in world.results} == {"edge"}
    indices = [r.header.index for r in world.results]
    assert indices == sorted(indices)


def test_a_trial_of_a_cloud_that_failed_costs_no_result_and_brings_it_back():
    world = World(breaker_pause=0.5, breaker_longest=0.5, breaker_ramp=0.0)
    world.learn()
    world.change(override="cloud")
    world.cloud.at_once = lambda call: call.fail(CloudUnreachableError("refused"))
    world.edge.at_once = lambda call: call.answer()
    for _ in range(20):
        world.offer(wait=0.05)
    assert len(world.results) == 20
    assert len(world.cloud) < 10
    world.cloud.at_once = None
    before = len(world.cloud)
    while len(world.cloud) == before:
        world.offer(wait=0.05)
    assert world.results[-1].source == "edge"  # asked at the same time
    world.cloud[-1].answer()
    assert world.router.status.cloud.breaker == "closed"
    world.offer()
    assert len(world.cloud) == before + 2


def test_an_answer_after_the_deadline_is_not_handed_on(world):
    world.offer()
    world.pass_time(0.3)
    assert world.edge[0].cancelled
    assert world.counts.expired == 1
    assert len(world.errors) == 1
    world.edge[0].answer()
    assert not world.results
    assert world.router.status.edge.state.in_flight == 0


def test_an_edge_that_falls_silent_is_replaced_by_the_cloud(world):
    for _ in range(3):
        world.offer(wait=0.3)
    assert world.offer().where is Where.CLOUD
    world.cloud[0].answer()
    assert len(world.results) == 1


def test_no_more_than_so_many_requests_are_under_way():
    world = World(max_in_flight=2)
    world.change(override="cloud")
    for _ in range(5):
        world.offer(wait=0.001)
    assert len(world.cloud) == 2
    assert len(world.edge) == 3


def test_a_second_opinion_is_asked_once_and_counts():
    world = World(min_confidence=0.8)
    world.offer()
    world.edge[0].answer(score=0.5)
    assert world.results == []
    assert len(world.cloud) == 1
    world.cloud[0].answer(score=0.4)  # no better, and that is the end of it
    assert [r.source for r in world.results] == [world.cloud.name]
    assert len(world.edge) == len(world.cloud) == 1
    assert world.counts.second_opinions == 1


@pytest.mark.parametrize("how", ["fails", "silent", "overtaken"])
def test_without_a_second_opinion_the_first_one_counts(how):
    world = World(min_confidence=0.8)
    world.offer(wait=0.01)
    world.edge[0].answer(score=0.5)
    if how == "fails":
        world.cloud[0].fail(CloudUnreachableError("gone"))
    elif how == "silent":
        world.pass_time(0.22)
    else:
        world.offer(wait=0.01)
        world.edge[1].answer(score=0.95)
    assert world.results[0].source == "edge"
    assert "no second opinion" in world.results[0].reason
    assert [r.header.index for r in world.results] == [1, 2][: len(world.results)]
    assert not world.errors
    assert world.counts.overtaken == 0


def test_a_wrong_request_of_ours_does_not_open_the_breaker(world):
    world.change(override="cloud")
    world.edge.at_once = lambda call: call.answer()
    for _ in range(10):
        world.offer(wait=0.01)
        world.cloud[-1].fail(CloudRequestError("unknown model"))
    assert len(world.cloud) == len(world.results) == 10
    assert world.router.status.cloud.breaker == "closed"


def test_a_cloud_that_was_never_reached_is_not_asked(world):
    world.cloud.unready = "not connected yet"
    world.change(override="cloud")
    world.offer()
    assert len(world.edge) == 1
    assert not world.cloud.calls
    assert world.router.status.cloud.state.why == "not connected yet"


def test_load_is_seen_by_the_policy():
    world = World(policy="adaptive")
    world.router.feel(Load(cpu=1.0))
    world.learn()
    decisions = []
    for _ in range(10):
        decisions.append(world.offer(wait=0.01))
        (world.cloud if decisions[-1].where is Where.CLOUD else world.edge)[-1].answer()
    assert Where.CLOUD in {d.where for d in decisions}
    assert any("CPU" in d.words or "cpu" in d.words for d in decisions)


def test_frames_that_come_twice_or_out_of_order_are_not_asked_again(world):
    frame = world.frame()
    world.router.offer(frame)
    world.router.offer(frame)
    assert len(world.edge) == 1
    assert world.counts.repeated == 1


def test_an_unknown_policy_is_refused_and_the_old_one_stays(world):
    with pytest.raises(ParameterError):
        world.change(policy="guess")
    assert world.router.status.policy == "rules"


def test_stopping_gives_up_everything(world):
    world.offer()
    world.router.stop()
    assert world.edge[0].cancelled
    assert not world.alarms
    world.edge[0].answer()
    assert not world.results
    assert not world.errors


def test_what_a_listener_raises_stops_nothing(world):
    world.router._departures._on_result = lambda *_: 1 / 0
    world.offer()
    world.edge[0].answer()
    assert world.counts.answers[Where.EDGE] == 1


def test_memory_is_flat_over_many_frames(world):
    world.learn()
    world.edge.at_once = world.cloud.at_once = lambda call: call.answer()
    for side in ("edge", "cloud"):
        world.change(override=side)
        for _ in range(2000):
            world.offer()
            world.clock.advance(0.001)
    assert len(world.alarms) == 0
    assert len(world.router._departures.lane("")) == 0
    assert not world.router._departures._given_up


def test_an_edge_that_fails_is_tried_all_the_same_where_there_is_no_cloud(world):
    world.cloud.unready = "no server"
    for _ in range(6):
        world.offer(wait=0.01)
        world.edge[-1].fail()
    assert world.router.status.edge.breaker == "open"
    world.offer()
    world.edge[-1].answer()
    assert len(world.edge) == 7
    assert len(world.results) == 1


def test_a_server_that_swallows_every_other_frame_is_left_alone_although_the_edge_overtakes_each(world):
    world.learn(cloud=0.05)
    for _ in range(3):
        world.change(override="cloud", hedge_after=10.0)
        world.offer(wait=0.1)
        world.change(override="edge")
        world.offer(wait=0.03)
        world.edge[-1].answer()
    assert world.router.status.cloud.breaker == "open"
    assert world.router.status.cloud.counts.failed == 3


@pytest.mark.parametrize("first", ["edge", "cloud"])
def test_a_frame_that_the_edge_dropped_is_no_failure_whatever_the_cloud_said_of_it(first):
    world = World(hedge_after=0.01)
    world.change(override="cloud")
    world.offer(wait=0.02)
    endings = {"edge": world.edge[0].drop, "cloud": lambda: world.cloud[0].fail(CloudUnreachableError("gone"))}
    endings.pop(first)()
    next(iter(endings.values()))()
    assert (world.counts.dropped, world.counts.failed, world.errors) == (1, 0, [])


@pytest.mark.parametrize("tried", ["edge", "cloud"])
def test_a_trial_of_a_side_asks_the_other_one_too_and_is_measured_even_if_it_is_last(world, tried, monkeypatch):
    decision = Decision(Where(tried), ("a trial",), exploring=True)
    monkeypatch.setattr(world.router._chooser, "_obey", lambda *_: decision)
    world.offer(wait=0.01)
    slow, quick = (world.edge, world.cloud) if tried == "edge" else (world.cloud, world.edge)
    quick[0].answer()
    assert [r.source for r in world.results] == [quick.name]
    assert not slow[0].cancelled
    world.pass_time(0.05)
    slow[0].answer()
    assert len(world.results) == 1
    status = world.router.status
    assert {status.edge.counts.answered, status.cloud.counts.answered} == {1}


def test_a_server_that_is_merely_slower_than_the_edge_is_not_blamed_for_being_overtaken(world):
    world.learn(cloud=0.05)
    for _ in range(10):
        world.change(override="cloud", hedge_after=10.0)
        world.offer(wait=0.01)
        world.change(override="edge")
        world.offer(wait=0.02)
        world.edge[-1].answer()
    assert world.counts.overtaken == 10
    assert world.router.status.cloud.breaker == "closed"
    assert world.router.status.cloud.counts.cancelled == 10


def test_a_cloud_that_failed_is_tried_beside_the_edge_although_the_policy_prefers_the_edge():
    world = World(breaker_pause=0.1, breaker_longest=0.1, breaker_ramp=0.0)
    world.edge.at_once = lambda call: call.answer()
    world.change(override="cloud")
    for _ in range(3):
        world.offer(wait=0.01)
        world.cloud[-1].fail(CloudUnreachableError("gone"))
    world.change(override="auto")
    asked = len(world.cloud)
    for _ in range(20):
        world.offer(wait=0.01)
    assert len(world.cloud) == asked + 1  # one at a time
    world.cloud[-1].answer()
    assert world.router.status.cloud.breaker == "closed"
    assert {r.source for r in world.results} == {"edge"}
    world.offer()
    assert len(world.cloud) == asked + 1
    for _ in range(3):
        world.router._watch[Where.CLOUD].breaker.failure("gone again")
    world.change(override="edge")
    for _ in range(20):
        world.offer(wait=0.01)
    assert len(world.cloud) == asked + 1  # the operator wants no part of it


def test_waiting_for_older_answers_sets_one_alarm_however_long_it_goes_on():
    world = World(order_wait=0.2, deadline=5.0, max_in_flight=256)
    for i in range(300):
        world.change(override="edge" if i % 3 else "cloud", hedge_after=5.0)
        world.offer(wait=0.01)
        if i % 3:
            world.edge[-1].answer()
    under_way = len(world.router._departures.lane(""))
    assert len(world.alarms) <= 2 * under_way + 1


def test_a_policy_that_fails_about_a_second_opinion_loses_no_answer(world, monkeypatch):
    def fail(*_):
        raise RuntimeError("a mistake in a package")

    policy = world.router._chooser._policy
    monkeypatch.setattr(policy, "second_opinion", fail, raising=False)
    monkeypatch.setattr(world.router._chooser, "_one_opinion", False)
    for _ in range(3):
        world.offer(wait=0.01)
        world.edge[-1].answer()
    assert len(world.results) == 3
    assert world.router.status.edge.state.in_flight == 0


def test_a_policy_that_decides_nothing_is_replaced_by_the_edge(world, monkeypatch):
    monkeypatch.setattr(world.router._chooser._policy, "decide", lambda *_: None, raising=False)
    assert world.offer().where is Where.EDGE
    world.edge[0].answer()
    assert "failed" in world.results[0].reason


def test_a_side_that_raises_when_asked_has_failed(world, monkeypatch):
    monkeypatch.setattr(world.edge, "ask", lambda *_: 1 / 0)
    world.offer()
    world.cloud[0].answer()
    assert world.results[0].source == world.cloud.name
    assert world.router.status.edge.state.in_flight == 0


def test_a_frame_from_the_future_does_not_stop_its_camera(world):
    assert world.offer(age=-3600.0).where is Where.SKIP
    world.offer()
    world.edge[0].answer()
    assert len(world.results) == 1


def test_stopping_ends_trials_too(world, monkeypatch):
    trial = Decision(Where.CLOUD, ("a trial",), exploring=True)
    monkeypatch.setattr(world.router._chooser, "_obey", lambda *_: trial)
    world.offer()
    world.edge[0].answer()
    world.router.stop()
    assert world.cloud[0].cancelled
    assert world.router.status.cloud.state.in_flight == 0
    assert not world.router._departures._spares


def test_a_server_that_falls_silent_is_noticed_although_its_link_was_bad_a_while_ago(world):
    world.learn(cloud=0.2, times=5)
    world.learn(cloud=0.05, times=20)
    for _ in range(4):
        world.change(override="cloud", hedge_after=10.0)
        world.offer(wait=0.1)
        world.change(override="edge")
        world.offer(wait=0.03)
        world.edge[-1].answer()
    assert world.router.status.cloud.counts.failed >= 2
    assert world.router.status.cloud.state.expected > 0.1
