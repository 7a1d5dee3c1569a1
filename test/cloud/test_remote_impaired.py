"""A real Triton at the other end of a bad link: a real link where this machine lets us make one, and a TCP proxy."""

import itertools
import threading
import time
from pathlib import Path

import cv2
import pytest
from impairment.link import Link
from impairment.proxy import TcpProxy
from impairment.schedule import Conditions

from edge_ai.core.clock import NS, SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.base import CloudTimeoutError
from edge_ai.routing.cloud.select import client_for
from edge_ai.routing.params import CloudParams
from edge_ai.runtime.remote_model import RemoteModel

pytest.importorskip("tritonclient.grpc.aio")
pytest.importorskip("tritonclient.http.aio")
PICTURE = Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"
CLOCK = SystemClock()
LATE = 2.0  # s that this machine may be late when it is busy


class Way:
    """What lies between robot and server, and the server's addresses."""

    def __init__(self, urls, ends):
        self.urls, self._ends = urls, ends

    def set(self, conditions):
        for end in self._ends:
            end.set(conditions)


@pytest.fixture(scope="module", params=["link", "proxy"])
def way(request, make_triton):
    """A server behind a real link, and one behind a proxy."""
    if request.param == "proxy":
        server = make_triton(models=["nanodet_g_416"])
        with TcpProxy(server.host, server.grpc_port) as grpc, TcpProxy(server.host, server.http_port) as http:
            urls = {"grpc": f"grpc://127.0.0.1:{grpc.port}", "http": f"http://127.0.0.1:{http.port}"}
            yield Way(urls, [grpc, http])
        server.stop()
        return
    if why := Link.available():
        pytest.skip(why)
    with Link() as link:
        server = make_triton(models=["nanodet_g_416"], host=link.host, wrap=link.server_command)
        yield Way({"grpc": server.grpc, "http": server.http}, [link])
        server.stop()


@pytest.fixture(params=["grpc", "http"])
def remote(way, triton_card, request):
    params = CloudParams(url=way.urls[request.param], connect_timeout=10.0)
    remote = RemoteModel(ModelCard.load(triton_card), params, client_for(params), CLOCK)
    way.set(Conditions())
    remote.open()
    assert ask(remote, 10).error is None  # the first inference takes its time
    yield remote
    way.set(Conditions())
    remote.close()


PIXELS = cv2.imread(str(PICTURE))
NUMBERS = itertools.count()


def ask(remote, seconds):
    """The outcome for a frame just captured; the deadline is kept, whatever it is."""
    height, width = PIXELS.shape[:2]
    begun = CLOCK.steady_ns()
    frame = Frame(FrameHeader(CLOCK.stamp_ns(), begun, "camera", next(NUMBERS), width, height), PIXELS)
    done, outcomes = threading.Event(), []
    remote.ask(frame, begun + int(seconds * NS), lambda outcome: (outcomes.append(outcome), done.set()))
    assert done.wait(seconds + LATE), "no outcome at the deadline"
    return outcomes[0]


def test_a_far_server(way, remote):
    way.set(Conditions(delay=0.05))
    outcome = ask(remote, 5)
    assert len(outcome.result.detections) > 2
    assert outcome.result.timings["cloud"] >= 0.1


def test_a_link_that_loses_packets(way, remote):
    way.set(Conditions(delay=0.02, loss=0.05))
    outcomes = [ask(remote, 5) for _ in range(5)]
    assert sum(outcome.result is not None for outcome in outcomes) >= 3


def test_a_slow_link_gets_smaller_images(way, remote):
    """200 kbit/s: 25 kB/s; the picture has 150 kB at first."""
    way.set(Conditions(rate=25_000))
    first = remote.expected_bytes(Frame(FrameHeader(0, 0, "", 0, PIXELS.shape[1], PIXELS.shape[0]), PIXELS))
    assert ask(remote, 12).sent == pytest.approx(first, rel=0.1)
    remote.adjust(remote.params.changed(jpeg_least=10))
    outcome = ask(remote, 2)
    assert outcome.sent < 0.6 * first


def test_a_black_hole_and_its_end(way, remote):
    way.set(Conditions(blackhole=True))
    begun = time.monotonic()
    while time.monotonic() < begun + 3:
        assert isinstance(ask(remote, 0.25).error, CloudTimeoutError)
    way.set(Conditions())
    begun = time.monotonic()
    while ask(remote, 1.0).result is None:
        assert time.monotonic() < begun + 5, "the server is there again, and nobody noticed"
