import json
import re
import threading
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")
pytest.importorskip("httpx")
pytest.importorskip("uvicorn")

import cv2
import httpx
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from edge_ai import dashboard
from edge_ai.msg import (
    Alert,
    ControlStatus,
    MitigationStatus,
    MitigationStep,
    ModelUpdate,
    Reading,
    RouterStatus,
    SystemStatus,
)
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.dashboard_node import STOP_PATIENCE, DashboardNode
from edge_ai.nodes.diagnostics import diagnostic_status
from edge_ai.nodes.inference_node import InferenceNode
from edge_ai.nodes.qos import ALERTS, LATCHED, STATUS

PRESS = {"X-Edge-AI": "1"}
SOURCE = "synthetic://320x240@15"


@pytest.fixture
def page(ros):
    """Starts an active dashboard beside other nodes."""

    class Page:
        def __init__(self, *nodes, **params):
            self.ros = ros(**{"dashboard:port": 0, **params})
            self.node = DashboardNode()
            self.nodes = [self.ros.add(make()) for make in nodes]
            for node in (*self.nodes, self.ros.add(self.node)):
                assert self.ros.do(node, "configure"), node.fault
                assert self.ros.do(node, "activate"), node.fault
            self.url = self.node._server.url

        def section(self, name):
            return self.node._board.since(0)[0].get(name)

        def value(self, name):
            entry = self.section(name)
            return entry.value if entry is not None else {}

        def press(self, button):
            return httpx.post(f"{self.url}{button}", headers=PRESS, timeout=10)

    return Page


def test_what_the_nodes_publish_is_on_the_board(page, until):
    it = page()
    status = it.ros.probe.create_publisher(SystemStatus, "monitor/status", STATUS)
    ladder = it.ros.probe.create_publisher(MitigationStatus, "monitor/mitigation", STATUS)
    router = it.ros.probe.create_publisher(RouterStatus, "router/status", STATUS)
    alerts = it.ros.probe.create_publisher(Alert, "monitor/alerts", ALERTS)
    updates = it.ros.probe.create_publisher(ModelUpdate, "inference/model_update", LATCHED)
    updates.publish(ModelUpdate(state=ModelUpdate.SHADOW, checks=["sha256"], passed=[True], progress=0.5))
    readings = [Reading(name="cpu", value=0.5), Reading(name="camera/rate", value=15.0)]
    hot = Alert(name="temperature", level=Alert.ERROR, message="91 is above 85", active=True)
    said = SystemStatus(board="Jetson Orin Nano", readings=readings, alerts=[hot], faults=["NVML: no driver"])
    step = MitigationStep(name="fewer frames", state=MitigationStep.TAKEN, before=[Reading(name="fps", value=9.0)])
    over = Alert(name="memory", level=Alert.WARN, message="well again", active=False)

    def say():
        status.publish(said)
        ladder.publish(MitigationStatus(level=1, steps=[step]))
        router.publish(RouterStatus(policy="cost", edge_share=0.25))
        return all(map(it.section, ("system", "mitigation", "routing", "alerts", "update")))

    alerts.publish(over)
    until(say, "all sections")
    assert it.value("system")["readings"] == {"cpu": 0.5}
    assert it.value("system")["faults"] == {"NVML": "no driver"}
    assert it.value("nodes") == {"camera": {"rate": 15.0}}
    until(lambda: say() and it.value("alerts")["recent"], "the alert that is over")
    assert it.value("alerts")["active"][0]["level"] == "error"
    assert it.value("mitigation")["steps"][0]["state"] == "taken"
    assert it.value("mitigation")["steps"][0]["before"] == {"fps": 9.0}
    assert it.value("routing")["edge_share"] == 0.25
    assert it.value("update")["checks"] == ["sha256"]
    assert it.value("update")["passed"] == [True]
    assert it.value("identity")["board"] == "Jetson Orin Nano"
    assert it.value("identity")["mode"] == "ROS 2"


def test_results_commands_and_model_are_shown(page, until):
    it = page(CameraNode, InferenceNode, ControlNode, **{"camera:source": SOURCE})
    until(lambda: it.value("result") and it.value("control"), "a result and a command")
    assert it.value("control")["state"] in ("NO_TARGET", "STALE")
    assert it.value("result")["model"] == "nanodet_g_416"
    until(lambda: "ONNX Runtime" in it.value("deployment").get("engine", ""), "the engine")


def test_another_robot_on_the_same_network_is_not_shown(page, until):
    it = page(__ns="/rover")
    publisher = it.ros.probe.create_publisher(DiagnosticArray, "/diagnostics", 10)
    said = {}

    def say(robot, engine):
        said[robot] = [
            diagnostic_status(f"{robot}inference", DiagnosticStatus.OK, "active", {"engine": engine}),
            diagnostic_status(f"{robot}manager: control", DiagnosticStatus.ERROR, f"{engine} lost", {"recoveries": 0}),
        ]

    say("rover/", "our own")
    say("rover2/", "of another")
    both = DiagnosticArray(status=[*said["rover/"], *said["rover2/"]])
    until(lambda: publisher.publish(both) or it.value("deployment"), "the engine")
    assert it.value("deployment")["engine"] == "our own"
    assert it.node._topics._health._faults == {"control": "our own lost"}


def test_pictures_are_subscribed_to_only_while_somebody_looks(page, until):
    it = page(CameraNode, InferenceNode, **{"camera:source": SOURCE})
    inference = it.nodes[1]
    until(lambda: it.value("result"), "results")
    images = inference.resolve_topic_name("camera/image_raw")
    until(lambda: inference.count_subscribers(images) == 1, "nobody but the model")
    picture = []
    ask = threading.Thread(target=lambda: picture.append(httpx.get(f"{it.url}frame.jpg?after=0", timeout=20)))
    ask.start()
    until(lambda: inference.count_subscribers(images) == 2, "the dashboard's subscription")
    ask.join(20)
    (answer,) = picture
    assert answer.status_code == 200
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (240, 320, 3)
    until(lambda: inference.count_subscribers(images) == 1, "its end")


def test_what_comes_with_every_frame_is_subscribed_to_only_while_somebody_looks(page, until):
    it = page(ControlNode)
    (control,) = it.nodes
    commands = control.resolve_topic_name("control/status")
    assert control.count_subscribers(commands) == 0
    with httpx.stream("GET", f"{it.url}events", timeout=20):
        until(lambda: control.count_subscribers(commands) == 1, "the dashboard's subscription")
    until(lambda: control.count_subscribers(commands) == 0, "its end")


def test_the_buttons_call_the_services_of_the_robot(page, until):
    it = page(ControlNode)
    states = it.ros.listen(ControlStatus, "control/status", 50)
    answer = it.press("stop")
    assert answer.status_code == 200, answer.text
    until(lambda: states and states[-1].state == ControlStatus.EMERGENCY_STOP, "the stop")
    assert it.press("reset").status_code == 200
    until(lambda: states[-1].state != ControlStatus.EMERGENCY_STOP, "the reset")


def test_a_button_that_nobody_answers_says_so(page):
    answer = page().press("stop")
    assert answer.status_code >= 400
    assert "control/emergency_stop" in answer.text


def test_the_page_hears_why_it_is_not_stopped_before_it_asks_again():
    link = (Path(dashboard.__file__).parent / "static/link.js").read_text()
    patience = float(re.search(r"post\(path, patience = (\d+)\)", link)[1]) / 1000
    assert patience > STOP_PATIENCE


def test_the_services_of_the_buttons_are_found_before_they_are_pressed(page, until):
    clients = page(ControlNode).node._caller._clients
    stop, _ = clients[Trigger, "control/emergency_stop"]
    until(stop.service_is_ready, "the stop")


def test_a_recording_is_asked_for(page):
    it = page()
    it.ros.probe.create_service(Trigger, "recorder/record", lambda _, response: response)
    refused = it.press("record")
    assert refused.status_code >= 400, "the service said no"


def test_viewers_are_told_of_changes_as_they_come(page, until):
    it = page(ControlNode)
    with httpx.stream("GET", f"{it.url}events", timeout=20) as stream:
        lines = (json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data: "))
        assert any("STALE" in json.dumps(line) for line, _ in zip(lines, range(20), strict=False))


def test_an_address_for_all_wants_a_token(ros):
    one = ros(**{"dashboard:host": "0.0.0.0", "dashboard:port": 0})
    node = one.add(DashboardNode())
    assert one.do(node, "configure")
    assert not one.do(node, "activate")
    assert "token" in node.fault


def test_images_that_are_torn_are_no_end(page, until):
    it = page()
    publisher = it.ros.probe.create_publisher(Image, "camera/image_raw", 1)
    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"{it.url}frame.jpg?after=0", timeout=0.5)
    until(publisher.get_subscription_count, "the dashboard's subscription")
    for _ in range(20):
        publisher.publish(Image(height=9, width=9, encoding="bgr8"))
    router = it.ros.probe.create_publisher(RouterStatus, "router/status", STATUS)
    until(lambda: router.publish(RouterStatus(policy="cost")) or it.value("routing"), "what comes after them")
