"""The robot's engine and a real Triton behind a link that fails in every way: answers go on, in order and in time."""

import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

from impairment.link import Link
from impairment.proxy import TcpProxy
from impairment.schedule import Conditions

from edge_ai.core.clock import SystemClock
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.routing.decision import Where
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.routed import RoutedPipeline
from edge_ai.runtime.uplink import remote

pytest.importorskip("tritonclient.grpc.aio")
CLOCK = SystemClock()
PICTURE = Path(__file__).resolve().parents[2] / "doc" / "demo.jpg"
# Wide enough for a machine that is busy with other tests: what is tested is that bounds hold, not how narrow they are.
DEADLINE, HEDGE, PERIOD, WAIT = 4.0, 0.6, 0.15, 60.0
SILENT = {
    "black hole": Conditions(blackhole=True),
    "reset": Conditions(reset=True),
    "refuse": Conditions(refuse=True),
    "slow-loris": Conditions(slow_loris=True),
}
BAD = {
    "50 ms": Conditions(delay=0.05),
    "5 % loss": Conditions(loss=0.05),
    "200 kbit/s": Conditions(rate=25_000.0),
}


@pytest.fixture(scope="module")
def model():
    one = Model.load(InferenceParams(warm_up=1))
    yield one
    one.close()


@pytest.fixture(scope="module")
def pixels():
    return cv2.resize(cv2.imread(str(PICTURE)), (320, 240))


class Rig:
    """Frames in, answers out, and what became of all of them."""

    def __init__(self, model, card, url, pixels, *, wait=True):
        router = RouterParams(
            policy="rules",
            override="cloud",
            deadline=DEADLINE,
            hedge_after=HEDGE,
            hedge_share=1.0,
            min_confidence=0.0,
            breaker_pause=0.3,
            breaker_longest=0.6,
            breaker_ramp=0.5,
        )
        cloud = CloudParams(url=url, ping_period=0.3)
        self.results, self.errors, self.sent, self.late = [], [], 0, 0
        self._changed = threading.Condition()
        self._pixels = pixels
        side = remote(cloud, CLOCK, ModelCard.load(card))
        self.pipeline = RoutedPipeline(model, side, router, CLOCK, self._on_result, self._on_error, ping_period=0.3)
        self.pipeline.start()
        if wait:
            self.until(lambda: self.pipeline.status.cloud.state.ready, "the server")

    def _on_result(self, result, frame):
        with self._changed:
            assert result.header.steady_ns == frame.header.steady_ns
            self.late += CLOCK.steady_ns() - frame.header.steady_ns > (DEADLINE + 1.0) * 1e9
            self.results.append(result)
            self._changed.notify_all()

    def _on_error(self, _frame, error):
        self.errors.append(error)

    def show(self, frames):
        height, width = self._pixels.shape[:2]
        for _ in range(frames):
            self.sent += 1
            header = FrameHeader(CLOCK.stamp_ns(), CLOCK.steady_ns(), "eye", self.sent, width, height)
            self.pipeline.submit(Frame(header, self._pixels))
            time.sleep(PERIOD)

    def show_until(self, condition, what):
        end = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < end, self.story(what)
            self.show(1)

    def until(self, condition, what):
        end = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < end, self.story(what)
            time.sleep(0.01)

    def story(self, what):
        return f"waited {WAIT} s for {what}: {self.pipeline.status.line()} {self.errors[-1:]}"

    def sources(self, since=0):
        return {result.source for result in self.results[since:]}

    def settle(self):
        """Wait until nothing is under way, and see that every frame has ended once, in order and in time."""
        self.until(lambda: self.ended == self.sent, "the end of every frame")
        indices = [result.header.index for result in self.results]
        assert indices == sorted(set(indices))
        assert self.late == 0
        assert len(self.errors) == self.counts.failed + self.counts.expired

    @property
    def counts(self):
        return self.pipeline.status.counts

    @property
    def ended(self):
        counts = self.counts
        over = counts.overtaken + counts.expired + counts.failed + counts.dropped + counts.decisions[Where.SKIP]
        return sum(counts.answers.values()) + over


@pytest.fixture
def rig(model, triton_card, pixels, request):
    def make(url, **how):
        one = Rig(model, triton_card, url, pixels, **how)
        request.addfinalizer(one.pipeline.stop)
        return one

    return make


@pytest.fixture(params=["grpc", "http"])
def proxied(request, triton, rig):
    """A rig that asks through a proxy, which works well so far, and the proxy."""
    port = triton.grpc_port if request.param == "grpc" else triton.http_port
    with TcpProxy("127.0.0.1", port) as proxy:
        one = rig(f"{request.param}://127.0.0.1:{proxy.port}")
        one.show_until(lambda: one.counts.answers[Where.CLOUD] >= 3, "answers of the cloud")
        yield one, proxy
        one.pipeline.stop()


@pytest.mark.parametrize("how", SILENT)
def test_answers_go_on_when_the_server_is_gone_and_it_is_asked_again_when_it_is_back(proxied, how):
    rig, proxy = proxied
    proxy.set(SILENT[how])
    if how == "refuse":
        proxy.cut()
    before = len(rig.results)
    rig.show_until(lambda: rig.pipeline.status.cloud.breaker != "closed", "the breaker")
    opened = len(rig.results)
    rig.show_until(lambda: len(rig.results) >= opened + 5, "answers without the server")
    assert rig.sources(before) >= {"edge"}
    proxy.set(Conditions())
    answered = rig.counts.answers[Where.CLOUD]
    rig.show_until(lambda: rig.counts.answers[Where.CLOUD] >= answered + 2, "answers of the server that is back")
    rig.settle()
    assert not rig.counts.failed
    assert rig.counts.expired == 0


@pytest.mark.parametrize("how", BAD)
def test_answers_go_on_over_a_bad_link(proxied, how):
    rig, proxy = proxied
    proxy.set(BAD[how])
    before = len(rig.results)
    rig.show(12)
    rig.settle()
    assert len(rig.results) > before
    assert rig.counts.expired == 0


def test_the_same_over_a_real_link_of_ip_packets(make_triton, rig):
    if why := Link.available():
        pytest.skip(why)
    with Link() as link:
        server = make_triton(host=link.host, wrap=link.server_command)
        one = rig(f"grpc://{link.host}:{server.grpc_port}")
        one.show_until(lambda: one.counts.answers[Where.CLOUD] >= 3, "answers of the cloud")
        for conditions in BAD.values():
            link.set(conditions)
            before = len(one.results)
            one.show(8)
            one.settle()
            assert len(one.results) > before
        link.set(Conditions(blackhole=True))
        one.show_until(lambda: one.pipeline.status.cloud.breaker != "closed", "the breaker")
        opened = len(one.results)
        one.show_until(lambda: len(one.results) >= opened + 5, "answers without the server")
        link.set(Conditions())
        answered = one.counts.answers[Where.CLOUD]
        one.show_until(lambda: one.counts.answers[Where.CLOUD] >= answered + 2, "answers of the server that is back")
        one.settle()
        assert one.counts.expired == one.counts.failed == 0
        one.pipeline.stop()
        server.stop()


def test_a_server_that_is_not_there_yet_costs_nothing(triton, rig):
    with TcpProxy("127.0.0.1", triton.grpc_port) as proxy:
        proxy.set(Conditions(refuse=True))
        one = rig(f"grpc://127.0.0.1:{proxy.port}", wait=False)
        one.show(5)
        one.settle()
        assert one.sources() == {"edge"}
        one.until(lambda: one.pipeline.fault, "words about it")
        proxy.set(Conditions())
        one.show_until(lambda: one.counts.answers[Where.CLOUD], "the server that came later")
        assert np.isfinite(one.pipeline.status.cloud.state.expected)
        one.pipeline.stop()
