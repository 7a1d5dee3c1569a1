"""The clients and the remote model against a real Triton: the same answers as this machine's own engine gives."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import CloudRequestError, CloudTimeoutError, CloudUnreachableError
from edge_ai.routing.cloud.select import client_for
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.remote_model import RemoteModel

pytest.importorskip("tritonclient.grpc.aio")
pytest.importorskip("tritonclient.http.aio")
PICTURE = Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"
CLOCK = SystemClock()
MODELS = {"nanodet_g_416": "jpeg", "nanodet_g_416_image": "image", "nanodet_g_416_tensor": "tensor"}


@pytest.fixture(scope="module")
def pixels():
    return cv2.imread(str(PICTURE))


@pytest.fixture(scope="module")
def here(triton_card, pixels):
    model = Model.load(InferenceParams(model=str(triton_card)))
    yield model(frame_of(pixels)).detections
    model.close()


@pytest.fixture
def connect(triton_card, request):
    def connect(url, **params):
        params = CloudParams(url=url, jpeg_quality=95, **params)
        remote = RemoteModel(ModelCard.load(triton_card), params, client_for(params), CLOCK)
        request.addfinalizer(remote.close)
        remote.open()
        return remote

    return connect


def frame_of(pixels):
    height, width = pixels.shape[:2]
    return Frame(FrameHeader(CLOCK.stamp_ns(), CLOCK.steady_ns(), "camera", 7, width, height), pixels)


def ask(remote, frame, seconds=10.0):
    done, outcomes = threading.Event(), []
    remote.ask(frame, CLOCK.steady_ns() + int(seconds * NS), lambda outcome: (outcomes.append(outcome), done.set()))
    assert done.wait(seconds + 5)
    return outcomes[0]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("model", MODELS)
def test_a_server_sees_what_this_machine_sees(triton, connect, pixels, here, model, protocol):
    remote = connect(getattr(triton, protocol), model=model)
    assert remote.wire.sends == MODELS[model]
    assert remote.wire.answers == ("tensors" if model.endswith("tensor") else "detections")
    frame = frame_of(pixels)
    outcome = ask(remote, frame)
    assert outcome.error is None
    result, exact = outcome.result, MODELS[model] != "jpeg"
    assert result.header == frame.header
    assert result.source == getattr(triton, protocol)
    assert (result.model_name, result.model_version) == (model, "1")
    assert list(result.timings) == ["wait", "encode", "cloud", "postprocess"]
    assert 0 < outcome.service < result.timings["cloud"]
    seen = result.detections
    if exact:
        np.testing.assert_allclose(seen.boxes, here.boxes, atol=0.05)
        np.testing.assert_array_equal(seen.class_ids, here.class_ids)
    else:
        assert abs(len(seen) - len(here)) <= 2
        assert abs(float(seen.scores[0]) - float(here.scores[0])) < 0.05
    assert abs(outcome.sent - remote.expected_bytes(frame)) <= 4


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_the_server_lacks_is_said(triton, connect, protocol):
    with pytest.raises(CloudRequestError, match="nanodet_x"):
        connect(getattr(triton, protocol), model="nanodet_x")
    with pytest.raises(CloudRequestError):
        connect(getattr(triton, protocol), version="9")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_time_that_is_too_short_is_kept(triton, connect, pixels, protocol):
    remote = connect(getattr(triton, protocol))
    begun = CLOCK.steady_ns()
    outcome = ask(remote, frame_of(pixels), seconds=0.02)
    assert isinstance(outcome.error, CloudTimeoutError)
    assert (CLOCK.steady_ns() - begun) / NS < 2
    assert ask(remote, frame_of(pixels)).error is None


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_that_goes_and_comes_back(make_triton, connect, pixels, protocol):
    server = make_triton(models=["nanodet_g_416"])
    remote = connect(getattr(server, protocol))
    assert ask(remote, frame_of(pixels)).error is None
    server.kill()
    outcome = ask(remote, frame_of(pixels), seconds=2)
    assert isinstance(outcome.error, CloudUnreachableError | CloudTimeoutError)
    server.start()
    outcomes = [ask(remote, frame_of(pixels), seconds=3) for _ in range(3)]
    assert outcomes[-1].error is None
    server.stop()
