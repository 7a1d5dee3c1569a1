"""A model on a server as a side, with a client that answers when told to."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from edge_ai.core.clock import NS, ManualClock
from edge_ai.core.errors import CardError, ImageError, ParameterError
from edge_ai.core.types import Frame, FrameHeader, PendingFrame
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAnswerError,
    CloudBusyError,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
    ServedModel,
    TensorInfo,
)
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.remote_model import RemoteModel
from edge_ai.runtime.resources import shipped_card

CARD = ModelCard.load(shipped_card())
INPUTS = {"jpeg": TensorInfo("jpeg", "BYTES", (-1, 1))}
BOXES = {
    "boxes": TensorInfo("boxes", "FP32", (-1, -1, 4)),
    "scores": TensorInfo("scores", "FP32", (-1, -1)),
    "class_ids": TensorInfo("class_ids", "INT32", (-1, -1)),
}
FOUND = {
    "boxes": np.array([[[10, 20, 50, 90], [1, 1, 9, 9]]], np.float32),
    "scores": np.array([[0.9, 0.6]], np.float32),
    "class_ids": np.array([[0, 2]], np.int32),
}


class Sent:
    def __init__(self, request, timeout, done):
        self.request, self.timeout, self.done, self.cancelled = request, timeout, done, False

    def cancel(self):
        self.cancelled = True


class Client:
    """A server's client: keeps requests until the test answers them."""

    name = "grpc://server:8001"

    def __init__(self):
        self.served = ServedModel("nanodet_g_416", "2", INPUTS, BOXES)
        self.requests, self.opened, self.closed = [], [], False
        self.fault = None
        self._arrived = threading.Condition()

    def open(self, model, version, timeout):
        self.opened.append((model, version, timeout))
        if self.fault is not None:
            raise self.fault
        return self.served

    def infer(self, request, timeout, done):
        with self._arrived:
            self.requests.append(Sent(request, timeout, done))
            self._arrived.notify_all()
        return self.requests[-1]

    def ping(self, timeout, done):
        done(0.02)

    def close(self):
        self.closed = True
        for one in self.requests:
            if not one.cancelled:
                one.done(CloudUnreachableError("closed"))

    def request(self, i=0):
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) > i, 5)
        return self.requests[i]


class Asked:
    def __init__(self):
        self.outcomes, self.thread, self._done = [], None, threading.Event()

    def __call__(self, outcome):
        self.outcomes.append(outcome)
        self.thread = threading.current_thread()
        self._done.set()

    def ended(self, seconds):
        return self._done.wait(seconds)

    def wait(self):
        assert self._done.wait(5)
        return self.outcomes[0]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def make_remote(client, clock, request):
    def make(card=CARD, *, opened=True, **params):
        remote = RemoteModel(card, CloudParams(url="grpc://server:8001", **params), client, clock)
        request.addfinalizer(remote.close)
        if opened:
            remote.open()
        return remote

    return make


@pytest.fixture
def ask(clock):
    def ask(remote, *, seconds=0.25, source=None):
        asked = Asked()
        deadline = clock.steady_ns() + round(seconds * NS)
        asked.call = remote.ask(source or frame_at(clock), deadline, asked)
        return asked

    return ask


def frame_at(clock, image=None):
    image = np.full((120, 160, 3), 90, np.uint8) if image is None else image
    header = FrameHeader(clock.stamp_ns(), clock.steady_ns() - NS // 10, "eye", 4, image.shape[1], image.shape[0])
    return Frame(header, image)


def test_it_is_not_ready_before_it_was_opened(make_remote, ask, client):
    remote = make_remote(opened=False)
    assert "not been reached" in remote.unready
    assert isinstance(ask(remote).wait().error, CloudUnreachableError)
    client.fault = CloudUnreachableError("server", got="nobody there")
    with pytest.raises(CloudUnreachableError):
        remote.open()
    assert "nobody there" in remote.unready
    client.fault = None
    remote.open()
    assert remote.unready == ""


def test_card_and_parameters_say_what_is_asked(make_remote, ask, client):
    card = CARD.changed(serving={"model": "there", "version": "3"})
    ask(make_remote(card))
    assert client.opened[-1][:2] == ("there", "3")
    request = client.request().request
    assert (request.model, request.version, request.outputs) == ("there", "3", ("boxes", "scores", "class_ids"))
    make_remote(card, model="mine", version="4")
    assert client.opened[-1][:2] == ("mine", "4")


def test_a_server_with_another_model_is_refused(make_remote, client):
    client.served = ServedModel("other", "1", {"x": TensorInfo("x", "FP64", (1,))}, BOXES)
    remote = make_remote(opened=False)
    with pytest.raises(CardError, match="FP64"):
        remote.open()
    assert "FP64" in remote.unready


def test_an_answer_becomes_a_result(make_remote, ask, client, clock):
    remote = make_remote()
    frame = frame_at(clock)
    asked = ask(remote, source=frame)
    sent = client.request()
    assert sent.timeout == pytest.approx(0.25)
    clock.advance(0.05)
    sent.done(CloudAnswer(FOUND, 1234, {"service_seconds": 0.01}))
    outcome = asked.wait()
    result = outcome.result
    assert result.header is frame.header
    assert (result.source, result.model_name, result.model_version) == (client.name, "nanodet_g_416", "2")
    assert result.detections.boxes.tolist() == [[10, 20, 50, 90], [1, 1, 9, 9]]
    assert [result.detections.name(i) for i in range(2)] == ["person", "car"]
    assert result.timings == pytest.approx({"wait": 0.1, "encode": 0, "cloud": 0.05, "postprocess": 0})
    assert list(result.timings) == ["wait", "encode", "cloud", "postprocess"]
    assert (outcome.sent, outcome.service) == (1234, 0.01)


@pytest.mark.parametrize("said", [None, "0.1", float("nan"), -1.0, True])
def test_a_server_that_does_not_say_how_long_it_worked(make_remote, ask, client, said):
    asked = ask(make_remote())
    client.request().done(CloudAnswer(FOUND, 1, {"service_seconds": said}))
    assert np.isnan(asked.wait().service) or said is True


def test_a_server_says_in_an_output_how_long_it_worked(make_remote, ask, client, clock):
    client.served = replace(client.served, outputs=BOXES | {"service_seconds": TensorInfo("", "FP32", (-1, 1))})
    asked = ask(make_remote())
    assert "service_seconds" in client.request().request.outputs
    client.request().done(CloudAnswer(FOUND | {"service_seconds": np.array([[0.25]], np.float32)}))
    assert asked.wait().service == 0.25


def test_what_is_reported_changes_at_once(make_remote, ask, client):
    remote = make_remote()
    asked = ask(remote)
    remote.configure(score_threshold=0.8, classes=["person", ""])
    client.request().done(CloudAnswer(FOUND))
    assert asked.wait().result.detections.scores.tolist() == [pytest.approx(0.9)]
    with pytest.raises(ParameterError):
        remote.configure(score_threshold=0.8, classes=["unicorn"])


def test_tensors_are_read_as_the_card_says(make_remote, ask, client, clock):
    scores, distances = np.zeros((1, 3549, 80), np.float32), np.zeros((1, 3549, 44), np.float32)
    scores[0, 1000, 5] = 0.8
    outputs = {n: TensorInfo(n, "FP32", a.shape) for n, a in (("scores", scores), ("dist", distances))}
    client.served = ServedModel("nanodet_g_416", "", INPUTS, outputs)
    remote = make_remote()
    asked = ask(remote)
    client.request().done(CloudAnswer({"scores": scores, "dist": distances}))
    result = asked.wait().result
    assert result.detections.class_ids.tolist() == [5]
    assert result.model_version == CARD.version
    for i, bad in enumerate((scores * np.nan, scores[:, :7])):
        asked = ask(remote)
        client.request(1 + i).done(CloudAnswer({"scores": bad, "dist": distances}))
        assert isinstance(asked.wait().error, CloudAnswerError)


def test_nonsense_is_an_error_and_not_asked_for_again(make_remote, ask, client):
    asked = ask(make_remote())
    client.request().done(CloudAnswer(FOUND | {"scores": FOUND["scores"] * np.nan}))
    assert isinstance(asked.wait().error, CloudAnswerError)
    assert len(client.requests) == 1


def test_what_failed_in_passing_is_sent_again_while_there_is_time(make_remote, ask, client, clock):
    asked = ask(make_remote(attempts=2))
    sent = client.request()
    clock.advance(0.1)
    sent.done(CloudBusyError("queue"))
    again = client.request(1)
    assert again.timeout == pytest.approx(0.15)
    again.done(CloudAnswer(FOUND, 500))
    outcome = asked.wait()
    assert len(outcome.result.detections) == 2
    assert outcome.sent > 500
    assert outcome.result.timings["cloud"] == pytest.approx(0.1)


@pytest.mark.parametrize("error", [CloudTimeoutError("x"), CloudRequestError("x"), CloudAnswerError("x")])
def test_what_would_fail_again_is_not(make_remote, ask, client, error):
    asked = ask(make_remote(attempts=5))
    client.request().done(error)
    assert asked.wait().error is error
    assert len(client.requests) == 1


@pytest.mark.parametrize("error", [CloudTimeoutError("x"), CloudBusyError("x"), CloudRequestError("x")])
def test_failures_are_told_on_a_thread_of_its_own(make_remote, ask, client, error):
    asked = ask(make_remote(attempts=1))
    client.request().done(error)
    asked.wait()
    assert asked.thread.name.startswith("remote-model")


def test_a_server_that_takes_no_requests_any_more_is_to_be_opened_again(make_remote, ask, client, caplog):
    remote = make_remote()
    sent = 0

    def said(answer):
        nonlocal sent
        asked = ask(remote)
        client.request(sent).done(answer)
        sent += 1
        return asked.wait()

    wrong = CloudRequestError("input 'jpeg'", got="unexpected")
    for answer in (wrong, wrong, CloudAnswer(FOUND), wrong, CloudTimeoutError("x"), wrong):
        said(answer)
        assert remote.unready == ""
    said(wrong)
    assert "refused 3 requests" in remote.unready
    assert "unexpected" in remote.unready
    assert "unexpected" in str(ask(remote).wait().error)
    remote.open()
    assert remote.unready == ""
    for _ in range(3):
        said(wrong)
    assert remote.unready
    assert len(caplog.records) == 1, "once, not at each attempt"
    remote.close()
    assert "closed" in remote.unready


def test_attempts_end(make_remote, ask, client):
    asked = ask(make_remote(attempts=3))
    for i in range(3):
        client.request(i).done(CloudBusyError(f"queue {i}"))
    assert "queue 2" in str(asked.wait().error)


def test_nothing_is_sent_again_after_the_deadline(make_remote, ask, client, clock):
    asked = ask(make_remote(attempts=5))
    sent = client.request()
    clock.advance(0.3)
    sent.done(CloudBusyError("queue"))
    assert isinstance(asked.wait().error, CloudBusyError)
    assert len(client.requests) == 1


def test_a_server_in_trouble_is_not_flooded(make_remote, ask, client):
    remote = make_remote(attempts=10, retry_share=0.1)
    answered = 0
    for _ in range(100):
        asked = ask(remote)
        while not asked.ended(0.001):
            if answered < len(client.requests):
                client.requests[answered].done(CloudBusyError("queue"))
                answered += 1
    assert 100 < answered <= 100 + 3 + 10


def test_a_frame_whose_time_is_over_is_not_sent(make_remote, ask, client, clock):
    asked = ask(make_remote(), seconds=-0.01)
    assert isinstance(asked.wait().error, CloudTimeoutError)
    assert client.requests == []


def test_a_frame_given_up_is_cancelled_on_its_way(make_remote, ask, client):
    asked = ask(make_remote())
    sent = client.request()
    asked.call.cancel()
    asked.call.cancel()
    assert sent.cancelled
    sent.done(CloudAnswer(FOUND))
    assert asked.outcomes == []


class Slow:
    """A frame whose decoding lasts until told otherwise."""

    def __init__(self, clock):
        self.begun, self.go, frame = threading.Event(), threading.Event(), frame_at(clock)
        self.source = PendingFrame(frame.header, self.read)
        self.frame = frame

    def read(self):
        self.begun.set()
        assert self.go.wait(10)
        return self.frame


def test_frames_that_wait_are_dropped_for_newer_ones(make_remote, ask, client, clock):
    remote = make_remote()
    slow = [Slow(clock) for _ in range(2)]
    for one in slow:
        ask(remote, source=one.source)
        assert one.begun.wait(5)
    waiting = [ask(remote) for _ in range(7)]
    assert [one.wait().dropped for one in waiting[:3]] == [True] * 3
    assert waiting[3].outcomes == []
    for one in slow:
        one.go.set()
    client.request(5)


def test_a_frame_given_up_while_it_waits_is_not_sent(make_remote, ask, client, clock):
    remote = make_remote()
    slow = [Slow(clock) for _ in range(2)]
    for one in slow:
        ask(remote, source=one.source)
        assert one.begun.wait(5)
    ask(remote).call.cancel()
    last = ask(remote)
    for one in slow:
        one.go.set()
    for i in range(3):
        client.request(i).done(CloudAnswer(FOUND))
    assert last.wait().result is not None
    assert len(client.requests) == 3


def test_an_image_that_cannot_be_read_is_nobodys_fault_but_its_own(make_remote, ask, client, clock):
    def torn():
        raise ImageError("JPEG", got="half of it")

    remote = make_remote()
    header = frame_at(clock).header
    assert isinstance(ask(remote, source=PendingFrame(header, torn)).wait().error, ImageError)
    asked = ask(remote, source=Frame(header, np.zeros((0, 0, 3), np.uint8)))
    assert isinstance(asked.wait().error, ImageError)
    assert client.requests == []


def test_expected_bytes_come_near_to_those_sent(make_remote, ask, client, clock):
    remote = make_remote()
    image = np.random.default_rng(3).integers(0, 255, (120, 160, 3), np.uint8)
    for i in range(8):
        frame = frame_at(clock, image)
        expected = remote.expected_bytes(frame)
        ask(remote, source=frame)
        size = len(client.request(i).request.inputs["jpeg"].flat[0])
        client.request(i).done(CloudAnswer(FOUND, size))
    assert expected == pytest.approx(size, rel=0.1)


def test_a_slow_link_makes_images_smaller_and_parameters_say_how_small(make_remote, ask, client, clock):
    remote = make_remote(jpeg_quality=90, jpeg_least=30)
    image = np.random.default_rng(3).integers(0, 255, (480, 640, 3), np.uint8)
    sizes = []
    for i in range(12):
        asked = ask(remote, source=frame_at(clock, image), seconds=1.0)
        sizes.append(len(client.request(i).request.inputs["jpeg"].flat[0]))
        clock.advance(0.9)
        client.request(i).done(CloudAnswer(FOUND, sizes[-1]))
        asked.wait()
    assert sizes[-1] < 0.7 * sizes[0]
    remote.adjust(remote.params.changed(jpeg_least=90))
    ask(remote, source=frame_at(clock, image), seconds=1.0)
    assert len(client.request(12).request.inputs["jpeg"].flat[0]) == pytest.approx(sizes[0], rel=0.05)


def test_a_sign_of_life(make_remote):
    heard = []
    make_remote().ping(heard.append)
    assert heard == [0.02]


def test_closing_ends_all_and_leaves_no_thread(make_remote, ask, client, clock):
    remote = make_remote()
    asked = ask(remote)
    client.request()
    remote.close()
    remote.close()
    assert isinstance(asked.wait().error, CloudUnreachableError)
    assert client.closed
    assert isinstance(ask(remote).wait().error, CloudUnreachableError)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("remote-model")]
