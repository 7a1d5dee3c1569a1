import threading
from itertools import pairwise

import pytest

from edge_ai.capture.params import CameraParams
from edge_ai.capture.status import CaptureState
from edge_ai.control.controller import ControlState
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import SystemClock
from edge_ai.core.errors import ParameterError
from edge_ai.core.types import STOP
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.robot import Robot
from edge_ai.routing.cloud.base import CloudUnreachableError
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.side import Outcome
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card


class Watcher:
    def __init__(self):
        self.changed = threading.Condition()
        self.commands, self.results, self.states = [], [], []

    def _add(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, 30)


def robot(watcher, **camera):
    return Robot(
        CameraParams.parse(camera),
        InferenceParams(),
        ControlParams(),
        SystemClock(),
        on_command=lambda c: watcher._add(watcher.commands, c),
        on_result=lambda r, f: watcher._add(watcher.results, r),
        on_status=lambda s: watcher._add(watcher.states, s.state),
    )


def test_frames_become_results_become_commands_and_the_last_one_is_zero():
    seen = Watcher()
    one = robot(seen, source="synthetic://320x240@30")
    one.prepare()
    one.start()
    seen.wait(lambda: len(seen.results) >= 3 and seen.commands[-1].state is ControlState.NO_TARGET)
    assert one.counts.processed >= 3
    one.close()
    assert seen.commands[-1].velocity == STOP
    assert seen.commands[-1].state is ControlState.STALE


def test_when_the_camera_ends_the_robot_stops_and_keeps_saying_so(tmp_path):
    import cv2
    import numpy as np

    path = str(tmp_path / "v.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 120))
    for i in range(20):
        writer.write(np.full((120, 160, 3), i * 10, np.uint8))
    writer.release()
    seen = Watcher()
    one = robot(seen, source=path)
    one.prepare()
    one.start()
    seen.wait(lambda: CaptureState.ENDED in seen.states)
    seen.wait(lambda: seen.commands[-1].state is ControlState.STALE)
    count = len(seen.commands)
    seen.wait(lambda: len(seen.commands) > count + 10)
    assert all(c.velocity == STOP for c in seen.commands[count:])
    one.close()


class Server:
    """A server that answers nothing and remembers how it was configured."""

    name, unready = "grpc://server:1", ""

    def __init__(self):
        self.configured, self.closed, self.asked = [], 0, 0

    def open(self):
        pass

    def ping(self, done):
        done(0.001)

    def adjust(self, params):
        self.adjusted = params

    def configure(self, *, score_threshold, classes):
        self.configured.append((score_threshold, list(classes)))

    def expected_bytes(self, frame):
        return 40_000.0

    def ask(self, frame, deadline_ns, done):
        self.asked += 1
        done(Outcome(error=CloudUnreachableError("gone")))
        return self

    def cancel(self):
        pass

    def close(self):
        self.closed += 1


def routed(watcher, servers, **inference):
    def connect(params, clock, card):
        servers.append(Server())
        return servers[-1]

    return Robot(
        CameraParams(source="synthetic://320x240@30"),
        InferenceParams(**inference),
        ControlParams(),
        SystemClock(),
        on_command=lambda c: watcher._add(watcher.commands, c),
        on_result=lambda r, f: watcher._add(watcher.results, r),
        router=RouterParams(policy="rules", min_confidence=0.0, deadline=5.0),
        cloud=CloudParams(url="grpc://server:1"),
        connect=connect,
    )


def test_with_a_server_results_say_who_answered_and_the_server_reports_what_the_model_does():
    seen, servers = Watcher(), []
    one = routed(seen, servers, score_threshold=0.6, classes=["person"])
    one.prepare()
    one.start()
    seen.wait(lambda: len(seen.results) >= 3)
    assert servers[0].configured == [(0.6, ["person"])]
    assert {result.source for result in seen.results} == {"edge"}
    assert seen.results[0].reason.startswith("edge: ")
    assert one.routing.counts.answers["edge"] >= 3
    one.close()
    assert servers[0].closed


def test_what_was_changed_while_it_ran_holds_after_a_stop():
    seen, servers = Watcher(), []
    one = routed(seen, servers)
    one.prepare()
    one.start()
    changed = RouterParams(policy="rules", min_confidence=0.0, deadline=5.0, override="cloud")
    one.update(InferenceParams(score_threshold=0.7), ControlParams(), changed, CloudParams(url="grpc://server:1"))
    one.stop()
    one.start()
    assert len(servers) == 2
    assert servers[1].configured == [(0.7, [""])]
    assert one.routing.override == "cloud"
    seen.wait(lambda: servers[1].asked and any("cloud failed" in result.reason for result in seen.results))
    one.close()


def test_a_robot_that_is_prepared_and_never_started_closes_the_way_to_its_server():
    servers = []
    one = routed(Watcher(), servers)
    one.prepare()
    one.close()
    assert servers[0].closed


@pytest.fixture(scope="module")
def small_card(tmp_path_factory):
    """The shipped detector with an input of 160 x 160."""
    folder, card = tmp_path_factory.mktemp("small"), ModelCard.load(shipped_card())
    made = resize(card.model_path, folder / "small.onnx", (160, 160), card.input)
    write_card(card, made.path, folder / "small.yaml", version="small", source="a test", size=made.size)
    return folder / "small.yaml"


def test_model_and_rate_change_while_it_drives(small_card):
    seen = Watcher()
    camera, inference = CameraParams(source="synthetic://320x240@30"), InferenceParams(variants=[str(small_card)])
    one = Robot(
        camera,
        inference,
        ControlParams(),
        SystemClock(),
        on_command=lambda c: seen._add(seen.commands, c),
        on_result=lambda r, f: seen._add(seen.results, r),
    )
    one.prepare()
    one.start()
    seen.wait(lambda: len(seen.results) >= 3)
    one.update(inference.changed(variant="1"), ControlParams(), camera=camera.changed(max_rate=7.5))
    seen.wait(lambda: [r.model_version for r in seen.results[-3:]] == ["small"] * 3)
    assert one.model.card.version == "small"
    steps = [b.header.index - a.header.index for a, b in pairwise(seen.results[-2:])]
    assert min(steps) >= 4, "every fourth frame at most"
    idle = one.swap.original
    one.update(inference, ControlParams(), camera=camera)
    seen.wait(lambda: seen.results[-1].model_version == "1.0")
    assert one.free_memory() >= 0
    assert idle.backend.active, "the model itself stays"
    one.update(inference.changed(variant="1"), ControlParams())
    one.stop()
    one.start()
    seen.wait(lambda: seen.results[-1].model_version == "small")
    versions = [result.model_version for result in seen.results]
    assert set(versions) == {"1.0", "small"}
    one.close()
    assert one.model is None
    assert one.note == ""


def test_a_server_has_the_model_itself_whatever_answers_here(small_card):
    cards = []

    def connect(params, clock, card):
        cards.append(card)
        return Server()

    one = Robot(
        CameraParams(source="synthetic://320x240@30"),
        InferenceParams(variants=[str(small_card)], variant="1"),
        ControlParams(),
        SystemClock(),
        on_command=lambda c: None,
        cloud=CloudParams(url="grpc://server:1"),
        connect=connect,
    )
    one.prepare()
    assert one.model.card.version == "small"
    assert [card.version for card in cards] == ["1.0"]
    with pytest.raises(ParameterError, match="variant"):
        one.update(InferenceParams(variant="2"), ControlParams())
    one.close()
