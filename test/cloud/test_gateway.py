"""What cloud_node does as a gateway, in front of a real Triton."""

import threading

import cv2
import numpy as np
import pytest

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.cloud_service import CloudService, CloudServiceParams, Status
from edge_ai.runtime.uplink import remote

pytest.importorskip("tritonclient.grpc")


@pytest.fixture
def gateway(triton, triton_card):
    clock, card = SystemClock(), ModelCard.load(triton_card)
    side = remote(CloudParams(url=triton.grpc), clock, card)
    side.open()
    yield CloudService(side, card, CloudServiceParams(), clock)
    side.close()


def ask(service, image, seconds=20.0, model=("", "")):
    """Status, message and result."""
    clock, got, done = SystemClock(), [], threading.Event()
    height, width = image.shape[:2]
    frame = Frame(FrameHeader(clock.stamp_ns(), clock.steady_ns(), "eye", 0, width, height), image)
    service.ask(frame, model, clock.steady_ns() + round(seconds * NS), lambda *reply: (got.extend(reply), done.set()))
    assert done.wait(seconds + 10)
    return got


def test_it_hands_on_what_the_server_sees(gateway, triton, triton_card):
    picture = cv2.imread(str(triton_card.parent.parent / "doc" / "demo.jpg"))
    status, message, result = ask(gateway, picture)
    assert (status, message) == (Status.OK, "")
    assert result.source == triton.grpc
    assert result.detections.name(0) == "person"
    assert gateway.counts == {Status.OK: 1}
    assert gateway.in_flight == 0


def test_what_has_no_time_left_does_not_reach_the_server(gateway):
    status, message, result = ask(gateway, np.zeros((8, 8, 3), np.uint8), seconds=-1)
    assert (status, result) == (Status.DEADLINE_EXCEEDED, None)
    assert "after its deadline" in message


def test_another_model_is_not_asked_for(gateway):
    status, message, _ = ask(gateway, np.zeros((8, 8, 3), np.uint8), model=("yolo", ""))
    assert status is Status.UNKNOWN_MODEL
    assert "nanodet_g_416" in message
