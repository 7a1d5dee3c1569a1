"""cloud_node and its service as a side: real ROS, the real model."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from builtin_interfaces.msg import Duration
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage

from edge_ai.core.clock import NS
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.msg import InferenceRequest, InferenceResponse
from edge_ai.nodes import convert, images
from edge_ai.nodes.cloud_node import CloudNode
from edge_ai.nodes.deferred_service import DeferredService
from edge_ai.nodes.ros_side import RosSide
from edge_ai.routing.cloud.base import (
    CloudAnswerError,
    CloudBusyError,
    CloudRequestError,
    CloudTimeoutError,
    CloudUnreachableError,
)
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.cloud_service import Status
from edge_ai.srv import CloudInference

PICTURE = cv2.imread(str(Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"))
SERVICE = "/cloud/infer"


class Cloud:
    """An active cloud_node and whoever asks it."""

    def __init__(self, ros, **parameters):
        self.ros = ros(**parameters)
        self.node = self.ros.add(CloudNode())
        assert self.ros.do(self.node, "configure"), self.node.fault
        assert self.ros.do(self.node, "activate"), self.node.fault

    def frame(self, image=PICTURE):
        clock = self.node.clock
        height, width = image.shape[:2]
        return Frame(FrameHeader(clock.stamp_ns(), clock.steady_ns(), "eye", 7, width, height), image)

    def request(self, *, raw=False, **change):
        message = images.image_to_msg(self.frame())
        asked = InferenceRequest(request_id="mine", header=message.header, deadline=Duration(sec=20))
        if raw:
            asked.image = message
        else:
            data = cv2.imencode(".jpg", PICTURE)[1].tobytes()
            asked.compressed_image = CompressedImage(header=message.header, format="jpeg", data=data)
        for name, value in change.items():
            setattr(asked, name, value)
        return asked

    def call(self, asked):
        return self.ros.call(CloudInference, SERVICE, request=asked).response

    def side(self, **params):
        return make_side(self.ros, self.node.clock, **params)


def make_side(ros, clock, priority=None, **params):
    return RosSide(ros.probe, SERVICE, CloudParams(url=f"ros:{SERVICE}", **params), clock, priority)


def ask(side, frame, until, seconds=20.0):
    """The outcome of a frame."""
    got = []
    side.ask(frame, side.clock.steady_ns() + round(seconds * NS), got.append)
    return until(lambda: got, "an outcome", seconds + 10)[0]


def test_statuses_are_numbered_as_in_the_message():
    assert {status.name: int(status) for status in Status} == {
        name: getattr(InferenceResponse, name) for name in Status.__members__
    }


@pytest.mark.parametrize("raw", [False, True], ids=["jpeg", "raw"])
def test_it_answers_images_of_both_kinds(ros, raw):
    cloud = Cloud(ros)
    asked = cloud.request(raw=raw)
    response = cloud.call(asked)
    assert (response.status, response.message, response.request_id) == (InferenceResponse.OK, "", "mine")
    result = response.result
    assert (result.header, result.model_name) == (asked.header, "nanodet_g_416")
    assert (result.image_height, result.image_width) == PICTURE.shape[:2]
    assert result.detections[0].class_name == "person"
    assert [t.stage for t in result.timings] == ["wait", "preprocess", "infer", "postprocess"]
    assert 0 <= result.timings[0].duration < 20, "counted from the arrival"


def test_each_refusal_has_its_status_and_says_why(ros):
    cloud = Cloud(ros)
    past = convert.ns_to_time(cloud.node.clock.stamp_ns() - 5 * NS)
    torn = cloud.request(raw=True)
    torn.image.step -= 1
    late = cloud.request(deadline=Duration(sec=1))
    late.header.stamp = past
    text = cloud.request()
    text.compressed_image.data = b"no picture"
    both = cloud.request(raw=True)
    both.compressed_image = cloud.request().compressed_image
    cases = [
        (InferenceRequest(request_id="mine"), InferenceResponse.INVALID_REQUEST, "no image"),
        (both, InferenceResponse.INVALID_REQUEST, "two images"),
        (torn, InferenceResponse.INVALID_REQUEST, "torn"),
        (text, InferenceResponse.INVALID_REQUEST, "no picture"),
        (cloud.request(priority=7), InferenceResponse.INVALID_REQUEST, "priority"),
        (cloud.request(model_name="yolo"), InferenceResponse.UNKNOWN_MODEL, "nanodet_g_416"),
        (cloud.request(model_version="9"), InferenceResponse.UNKNOWN_MODEL, "1.0"),
        (late, InferenceResponse.DEADLINE_EXCEEDED, "after its deadline"),
    ]
    for asked, status, words in cases:
        response = cloud.call(asked)
        assert (response.status, response.request_id) == (status, asked.request_id), response.message
        assert words in response.message
        assert not response.result.detections
    assert cloud.call(cloud.request()).status == InferenceResponse.OK


def test_a_request_without_an_image_is_answered_and_not_counted(ros, until):
    cloud = Cloud(ros)
    side = cloud.side()
    side.open()
    pinged = []
    side.ping(pinged.append)
    assert isinstance(until(lambda: pinged, "a sign of life")[0], float)
    assert cloud.node.diagnose()[2]["invalid request"] == 0
    assert cloud.call(cloud.request(priority=7)).status == InferenceResponse.INVALID_REQUEST
    assert cloud.node.diagnose()[2]["invalid request"] == 1
    side.close()


def set_live(cloud, **values):
    parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
    (*_, result) = cloud.ros.call(SetParameters, "/cloud/set_parameters", parameters=parameters).results
    assert result.successful, result.reason


def test_a_limit_raised_while_it_works_lets_more_wait_for_the_model(ros, until, monkeypatch):
    from edge_ai.runtime.model import Model

    goes_on = threading.Event()
    detect = Model.detect
    monkeypatch.setattr(Model, "detect", lambda *args: goes_on.wait(20) and detect(*args))
    cloud = Cloud(ros, max_in_flight=1)
    set_live(cloud, max_in_flight=6)
    client = cloud.ros.probe.create_client(CloudInference, SERVICE)
    assert client.wait_for_service(10)
    futures = [client.call_async(CloudInference.Request(request=cloud.request())) for _ in range(6)]
    until(lambda: cloud.node.diagnose()[2]["in flight"] == 6 or any(f.done() for f in futures), "six requests")
    goes_on.set()
    until(lambda: all(future.done() for future in futures), "all answers", 30)
    assert {future.result().response.status for future in futures} == {InferenceResponse.OK}


def test_a_gateway_takes_over_how_its_server_is_asked(ros):
    cloud = Cloud(ros, **{"cloud.url": "grpc://127.0.0.1:9"})
    set_live(cloud, **{"cloud.jpeg_quality": 60, "cloud.attempts": 5})
    assert (cloud.node._server.params.jpeg_quality, cloud.node._server.params.attempts) == (60, 5)


def test_overload_is_refused_and_nobody_is_left_without_an_answer(ros, until):
    cloud = Cloud(ros, max_in_flight=2)
    client = cloud.ros.probe.create_client(CloudInference, SERVICE)
    assert client.wait_for_service(10)
    futures = [client.call_async(CloudInference.Request(request=cloud.request())) for _ in range(12)]
    until(lambda: all(future.done() for future in futures), "all answers", 60)
    statuses = [future.result().response.status for future in futures]
    assert set(statuses) == {InferenceResponse.OK, InferenceResponse.OVERLOADED}


def test_the_node_answers_other_questions_while_an_inference_runs(ros, until, monkeypatch):
    from edge_ai.runtime.model import Model

    goes_on = threading.Event()
    detect = Model.detect
    monkeypatch.setattr(Model, "detect", lambda *args: goes_on.wait(20) and detect(*args))
    cloud = Cloud(ros)
    client = cloud.ros.probe.create_client(CloudInference, SERVICE)
    assert client.wait_for_service(10)
    slow = client.call_async(CloudInference.Request(request=cloud.request()))
    until(lambda: cloud.node.diagnose()[2]["in flight"] == 1, "the request")
    assert cloud.call(cloud.request(priority=7)).status == InferenceResponse.INVALID_REQUEST
    assert not slow.done()
    goes_on.set()
    until(slow.done, "the slow answer", 30)
    assert slow.result().response.status == InferenceResponse.OK


def test_a_gateway_whose_server_is_gone_refuses_at_once_and_says_so(ros, until):
    cloud = Cloud(ros, **{"cloud.url": "grpc://127.0.0.1:9"})
    response = cloud.call(cloud.request())
    assert response.status == InferenceResponse.OVERLOADED
    assert "127.0.0.1:9" in response.message
    until(lambda: "127.0.0.1:9" in cloud.node.diagnose()[1], "diagnostics that say so")


def test_a_side_brings_results_with_the_frames_own_header(ros, until):
    cloud = Cloud(ros)
    side = cloud.side()
    side.open()
    frame = cloud.frame()
    outcome = ask(side, frame, until)
    assert outcome.error is None
    assert outcome.result.header == frame.header
    assert outcome.result.source == "ros:/cloud/infer"
    assert list(outcome.result.timings) == ["wait", "encode", "cloud"]
    assert 0 < outcome.sent < PICTURE.size / 4, "a JPEG"
    assert outcome.service > 0
    assert len(outcome.result.detections) > 2
    pinged = []
    side.ping(pinged.append)
    assert isinstance(until(lambda: pinged, "a sign of life")[0], float)
    side.configure(score_threshold=0.0, classes=["dog"])
    assert len(ask(side, cloud.frame(), until).result.detections) == 0
    side.close()


def test_raw_images_see_the_same(ros, until):
    cloud = Cloud(ros)
    side = cloud.side(payload="raw")
    side.open()
    outcome = ask(side, cloud.frame(), until)
    assert outcome.sent == PICTURE.size
    assert len(outcome.result.detections) > 2
    side.close()


def test_a_service_that_is_not_there_is_known_at_once(ros):
    from edge_ai.core.clock import SystemClock

    one = ros()
    side = make_side(one, SystemClock(), connect_timeout=0.3)
    assert side.unready
    got = []
    frame = Frame(FrameHeader(0, 0, "", 0, 8, 8), np.zeros((8, 8, 3), np.uint8))
    side.ask(frame, side.clock.steady_ns() + 60 * NS, got.append)
    assert isinstance(got[0].error, CloudUnreachableError), "before `ask` came back"
    with pytest.raises(CloudUnreachableError, match="cloud_node"):
        side.open()
    side.close()
    side.close()


class Pretender:
    """A service under the name of a cloud_node that does as it is told; None: never answers."""

    def __init__(self, ros, answer):
        self.taken = 0
        self._answer = answer
        self.service = DeferredService(ros.probe, CloudInference, SERVICE, self._handle)

    def _handle(self, request, send):
        self.taken += 1
        response = self._answer(request.request)
        if response is not None:
            send(CloudInference.Response(response=response))

    def close(self):
        self.service.stop()
        self.service.close()


@pytest.fixture
def pretender(ros):
    """Start one: its side and itself."""
    from edge_ai.core.clock import SystemClock

    made = []

    def start(answer, **options):
        one = ros()
        server, side = Pretender(one, answer), make_side(one, SystemClock(), **options)
        made.extend((side, server))
        side.open()
        return side, server

    yield start
    for one in made:
        one.close()


def small_frame(side):
    clock = side.clock
    return Frame(FrameHeader(clock.stamp_ns(), clock.steady_ns(), "", 0, 64, 48), np.zeros((48, 64, 3), np.uint8))


def answered(asked, **change):
    response = InferenceResponse(request_id=asked.request_id)
    response.result.header = asked.header
    response.result.image_width, response.result.image_height = 64, 48
    for name, value in change.items():
        setattr(response, name, value)
    return response


def test_silence_is_an_error_at_the_deadline_and_leaves_nothing_pending(pretender, until):
    side, server = pretender(lambda asked: None)
    outcome = ask(side, small_frame(side), until, seconds=0.3)
    assert isinstance(outcome.error, CloudTimeoutError)
    assert server.taken == 1
    assert not side.client._pending_requests
    assert len(side.alarms) == 0


def test_a_cancelled_request_is_forgotten(pretender, until):
    held = []
    side, server = pretender(held.append)
    got = []
    call = side.ask(small_frame(side), side.clock.steady_ns() + 60 * NS, got.append)
    until(lambda: server.taken, "the request")
    call.cancel()
    call.cancel()
    until(lambda: not side.client._pending_requests and not len(side.alarms), "that nothing is left")
    assert not got


def test_closing_ends_what_was_sent(pretender, until):
    side, server = pretender(lambda asked: None)
    got = []
    side.ask(small_frame(side), side.clock.steady_ns() + 60 * NS, got.append)
    side.ping(got.append)
    until(lambda: server.taken == 2, "both requests")
    side.close()
    asked, pinged = sorted(got, key=lambda one: isinstance(one, Exception))
    assert isinstance(asked.error, CloudUnreachableError)
    assert isinstance(pinged, CloudUnreachableError)
    assert "closed" in str(pinged)
    assert not side.under_way


def test_a_side_closed_while_it_opens_stays_closed(pretender, monkeypatch):
    side, _ = pretender(answered)
    fresh = RosSide(side._node, SERVICE, side.params, side.clock)
    monkeypatch.setattr(fresh.client, "wait_for_service", lambda seconds: fresh.close() or True)
    before = threading.active_count()
    with pytest.raises(CloudUnreachableError, match="closed"):
        fresh.open()
    assert fresh.unready == "it was closed"
    assert threading.active_count() == before


def test_a_client_that_goes_away_while_it_is_looked_at_is_an_outcome(pretender):
    side, _ = pretender(answered)
    side._node.destroy_client(side.client)
    got = []
    side.ask(small_frame(side), side.clock.steady_ns() + 60 * NS, got.append)
    assert isinstance(got[0].error, CloudUnreachableError)


def noise(side):
    frame = small_frame(side)
    return replace(frame, image=np.random.default_rng(5).integers(0, 255, frame.image.shape, np.uint8))


def test_a_slow_link_lowers_the_quality_of_images_and_jpeg_least_bounds_it(pretender, until):
    def slowly(asked):
        if server.taken == 1:
            time.sleep(2.0)
        return answered(asked)

    side, server = pretender(slowly, jpeg_quality=90, jpeg_least=10)
    best = ask(side, noise(side), until).sent
    assert 0 < side.link.state(side.clock.steady_ns()).bandwidth < 4 * best
    assert ask(side, noise(side), until, seconds=1.5).sent < 0.7 * best
    side.link.transfer(1, 1e6, 0.0, side.clock.steady_ns())
    side.adjust(side.params.changed(jpeg_least=90))
    assert ask(side, noise(side), until).sent == best


def test_a_sign_of_life_tells_of_the_link(pretender, until):
    side, _ = pretender(lambda asked: answered(asked, status=InferenceResponse.INVALID_REQUEST))
    pinged = []
    side.ping(pinged.append)
    seconds = until(lambda: pinged, "a sign of life")[0]
    assert side.link.state(side.clock.steady_ns()).rtt == pytest.approx(seconds)


def test_requests_carry_the_priority_of_their_frame(pretender, until):
    seen = []
    side, _ = pretender(lambda asked: seen.append(asked.priority) or answered(asked), priority=lambda frame: 2)
    assert ask(side, small_frame(side), until).error is None
    assert seen == [2]


def test_two_hundred_requests_leave_nothing_behind(pretender, until):
    side, _ = pretender(answered)
    before = threading.active_count()
    for _ in range(200):
        done = []
        side.ask(small_frame(side), side.clock.steady_ns() + 20 * NS, done.append)
        assert until(lambda done=done: done, "an answer")[0].error is None
    assert not side.client._pending_requests
    assert len(side.alarms) == 0
    assert threading.active_count() <= before + 2, "the threads that encode"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (InferenceResponse.OVERLOADED, CloudBusyError),
        (InferenceResponse.UNKNOWN_MODEL, CloudRequestError),
        (InferenceResponse.DEADLINE_EXCEEDED, CloudTimeoutError),
        (InferenceResponse.FAILED, CloudAnswerError),
    ],
)
def test_each_status_is_the_error_it_means(pretender, until, status, kind):
    side, _ = pretender(lambda asked: answered(asked, status=status, message="because"))
    error = ask(side, small_frame(side), until).error
    assert type(error) is kind
    assert "because" in str(error)


def box(asked, **change):
    from edge_ai.msg import Detection

    response = answered(asked)
    fields = {"score": 0.5, "x_min": 1.0, "y_min": 1.0, "x_max": 9.0, "y_max": 9.0, "class_name": "person"} | change
    response.result.detections = [Detection(**fields)]
    return response


def change_size(asked):
    response = answered(asked)
    response.result.image_width = 99
    return response


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda asked: answered(asked, request_id="another"), "another request"),
        (lambda asked: box(asked, score=float("nan")), "score"),
        (lambda asked: box(asked, score=1.5), "score"),
        (lambda asked: box(asked, x_max=float("inf")), "outside"),
        (lambda asked: box(asked, x_max=900.0), "outside"),
        (lambda asked: box(asked, x_max=0.5), "inside"),
        (change_size, "image of 99"),
    ],
    ids=["id", "nan", "score", "inf", "outside", "swapped", "size"],
)
def test_a_lie_is_no_answer(pretender, until, lie, words):
    side, _ = pretender(lie)
    error = ask(side, small_frame(side), until).error
    assert isinstance(error, CloudAnswerError)
    assert words in str(error)


def test_an_honest_pretender_is_believed(pretender, until):
    side, _ = pretender(box)
    assert ask(side, small_frame(side), until).result.detections.name(0) == "person"
