from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from mcap.reader import make_reader

from edge_ai.core.clock import SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import SetParameter
from edge_ai.monitoring.alert import Level
from edge_ai.monitoring.profiling.spans import SpanRecorder
from edge_ai.optimization.artifact import write_card
from edge_ai.optimization.resizing import resize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.resources import shipped_card
from edge_ai.watched.params import WatchedParams
from edge_ai.watched.robot import WatchedRobot
from edge_ai.watched.watcher import Watcher

ROOT = Path(__file__).resolve().parents[2]
PRESS = {"X-Edge-AI": "1"}
LADDER = """
alerts:
  - {name: busy, metric: memory, above: 0.001, clear: 0.0005, after: 0, clear_after: 0}
steps:
  - name: fewer frames
    when: [busy]
    do:
      - set: {camera.max_rate: 6}
      - free: memory
    dwell: 1
    recover: 1
"""


class Seen(Watcher):
    def __init__(self):
        self.commands, self.samples, self.alerts, self.statuses, self.updates = [], [], [], [], []

    def command(self, command):
        self.commands.append(command)

    def sample(self, sample, alerts):
        self.samples.append(sample)

    def alert(self, alert):
        self.alerts.append(alert)

    def mitigation(self, status):
        self.statuses.append(status)

    def update(self, told):
        self.updates.append(told)


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def start(tmp_path, seen):
    robots = []

    def start(**nodes):
        values = {
            "camera": {"source": "synthetic://320x240@15"},
            "dashboard": {"port": 0},
            "recorder": {"folder": str(tmp_path / "recordings"), "after": 0.5, "min_free": 0, "triggers": [""]},
            "monitor": {"period": 0.2, "mitigation": "none"},
            "swap": {"state_folder": str(tmp_path / "state")},
        }
        for node, given in nodes.items():
            values[node] = {**values.get(node, {}), **given}
        robot = WatchedRobot(WatchedParams.parse(values), SystemClock(), [seen])
        robots.append(robot)
        robot.prepare()
        robot.start()
        return robot

    yield start
    for robot in robots:
        robot.close()


def recordings(tmp_path):
    return sorted((tmp_path / "recordings").glob("*.mcap"))


def topics(path):
    with path.open("rb") as stream:
        return {channel.topic for _, channel, _ in make_reader(stream).iter_messages()}


def test_everything_of_the_robot_is_measured(start, seen, until):
    start()
    wanted = {"fps", "age", "processing", "cpu", "memory", "camera/rate", "inference/infer_p50", "control/commands"}
    wanted |= {"inference/queue", "inference/batch", "inference/dropped", "control/refused", "control/stopped"}
    until(lambda: any(wanted <= set(sample.readings) and sample.readings["fps"] > 0 for sample in seen.samples))


def test_the_page_shows_it_and_says_when_the_robot_is_ready(start, until):
    url = start().page.url
    until(lambda: httpx.get(f"{url}readyz").status_code == 200)
    assert httpx.get(f"{url}livez").status_code == 200
    assert "edge_ai_results_per_second" in httpx.get(f"{url}metrics").text
    picture = until(lambda: (got := httpx.get(f"{url}frame.jpg", timeout=5)).status_code == 200 and got)
    assert picture.content[:2] == b"\xff\xd8"


def test_the_emergency_stop_of_the_page_stops_the_robot_and_records_why(start, seen, until, tmp_path):
    robot = start(recorder={"triggers": ["emergency_stop"]})
    until(lambda: len(seen.commands) > 20 and seen.samples)
    assert httpx.post(f"{robot.page.url}stop", headers=PRESS).status_code == 200
    until(lambda: seen.commands[-1].state.name == "EMERGENCY_STOP")
    assert seen.commands[-1].velocity.linear == seen.commands[-1].velocity.angular == 0
    path = until(lambda: not robot._recording.state.recording and recordings(tmp_path))[0]
    assert {"/camera/image_raw/compressed", "/inference/results", "/control/status", "/inference/card"} <= topics(path)
    assert httpx.post(f"{robot.page.url}reset", headers=PRESS).status_code == 200
    until(lambda: seen.commands[-1].state.name != "EMERGENCY_STOP")


def test_a_new_model_is_told_to_the_page_to_prometheus_and_to_recordings(start, seen, until, tmp_path):
    card = ModelCard.load(shipped_card())
    made = resize(card.model_path, tmp_path / "new.onnx", (192, 192), card.input)
    write_card(card, made.path, tmp_path / "new.yaml", version="2.0", source="a test", size=made.size)
    quick = {"shadow_frames": 5, "shadow_share": 1.0, "probation": 0.5, "probation_frames": 3, "agreement": 0.3}
    robot = start(swap=quick, camera={"source": str(ROOT / "doc/demo.jpg"), "loop": True})
    swap, url = robot.robot.swap, robot.page.url
    swap.stage(tmp_path / "new.yaml")
    swap.switch()
    until(lambda: seen.updates[-1]["state"] == "idle" and seen.updates[-1]["switches"] == 1)
    assert [told["state"] for told in seen.updates if told["state"] == "probation"]
    assert "edge_ai_model_switches_total 1.0" in httpx.get(f"{url}metrics").text
    assert robot.page.board.since(0)[0]["update"].value == seen.updates[-1]
    until(lambda: robot.page.board.since(0)[0]["deployment"].value["version"] == "2.0")
    robot._recording.request()
    path = until(lambda: not robot._recording.state.recording and recordings(tmp_path))[0]
    with path.open("rb") as stream:
        cards = [m.data for _, c, m in make_reader(stream).iter_messages() if c.topic == "/inference/card"]
    assert b"version: '2.0'" in cards[-1]
    assert "/inference/model_update" in topics(path)


def test_the_ladder_changes_the_robot_and_takes_it_back(start, seen, until, tmp_path):
    ladder = tmp_path / "ladder.yaml"
    ladder.write_text(LADDER)
    robot = start(monitor={"mitigation": str(ladder)})
    until(lambda: seen.statuses and seen.statuses[-1].level == 1)
    assert [(alert.name, alert.level) for alert in seen.alerts] == [("busy", Level.WARN)]
    robot.monitor.update(robot._params.monitor.changed(vetoed=["fewer frames"]))
    until(lambda: seen.statuses[-1].level == 0)


def test_what_the_ladder_took_is_given_back_in_the_end(start, seen, until, tmp_path):
    ladder = tmp_path / "ladder.yaml"
    ladder.write_text(LADDER)
    robot = start(monitor={"mitigation": str(ladder)})
    until(lambda: seen.statuses and seen.statuses[-1].level == 1)
    assert robot._actuator._params["camera"].max_rate == 6
    robot.close()
    assert robot._actuator._params["camera"].max_rate == 0


def test_a_camera_that_fails_makes_the_robot_unready(start, until, tmp_path):
    robot = start(camera={"source": "synthetic://320x240@15"})
    url = robot.page.url
    until(lambda: httpx.get(f"{url}readyz").status_code == 200)
    robot.robot.capturer.stop()
    until(lambda: httpx.get(f"{url}readyz").status_code == 503)
    assert "no results" in httpx.get(f"{url}readyz").text


def test_a_watcher_that_fails_keeps_nobody_from_seeing_and_driving(seen, until, caplog):
    @dataclass
    class Broken(Watcher):
        def frame(self, frame):
            raise RuntimeError("no memory")

        command = sample = alert = mitigation = camera = frame

        def result(self, result, frame):
            raise RuntimeError("no memory")

    params = WatchedParams.parse({"camera": {"source": "synthetic://320x240@15"}, "monitor": {"mitigation": "none"}})
    robot = WatchedRobot(params, SystemClock(), [Broken(), seen], page=False, record=False)
    robot.prepare()
    robot.start()
    try:
        until(lambda: seen.samples and seen.samples[-1].readings.get("fps", 0) > 0)
        assert robot.robot.capturer.status.state.name == "STREAMING"
        assert seen.commands
    finally:
        robot.close()
    assert caplog.text.count("Broken.frame failed") == 1


def test_a_ladder_may_set_what_is_taken_over_and_nothing_else(start, until, seen, tmp_path):
    ladder = tmp_path / "ladder.yaml"
    ladder.write_text(LADDER.replace("camera.max_rate: 6", "monitor.target_fps: 6.0"))
    start(monitor={"mitigation": str(ladder)})
    until(lambda: seen.statuses and "no" in seen.statuses[-1].steps[0].detail)
    assert "node 'monitor'" in seen.statuses[-1].steps[0].detail


def test_an_end_goes_on_where_a_part_of_it_fails(start, until, monkeypatch):
    robot = start()
    ended = []
    monkeypatch.setattr(robot.monitor, "stop", lambda: 1 / 0)
    monkeypatch.setattr(robot._power, "restore", lambda: ended.append("power"))
    with pytest.raises(ZeroDivisionError):
        robot.close()
    assert ended == ["power"]
    assert robot.robot.model is None
    monkeypatch.undo()


def test_a_traced_frame_is_told_once(start, until, seen):
    robot = start()
    until(lambda: seen.samples and seen.samples[-1].readings.get("fps", 0) > 0)
    spans, before = SpanRecorder(), robot.robot.counts.processed
    with spans.running():
        until(lambda: robot.robot.counts.processed >= before + 8)
    assert len(spans.journeys) <= robot.robot.counts.processed - before + 1


def test_without_page_and_recorder_there_is_neither(seen, until):
    params = WatchedParams.parse({"camera": {"source": "synthetic://320x240@15"}, "monitor": {"mitigation": "none"}})
    robot = WatchedRobot(params, SystemClock(), [seen], page=False, record=False)
    robot.prepare()
    robot.start()
    try:
        until(lambda: seen.samples and seen.samples[-1].readings.get("fps", 0) > 0)
        assert robot.page is None
    finally:
        robot.close()


def test_an_address_that_is_taken_is_an_error_before_anything_moves(start, seen):
    port = int(start().page.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(EdgeAIError, match="another port"):
        start(dashboard={"port": port})


def test_without_a_server_a_ladder_that_would_use_one_is_refused(start):
    robot, answers = start(), []
    robot._actuator.perform(SetParameter("router", "override", "cloud"), answers.append)
    robot._actuator.close()
    assert "router" in str(answers[0])
    assert isinstance(answers[0], EdgeAIError)
