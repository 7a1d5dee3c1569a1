import math
import socket
import urllib.request
from contextlib import closing

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from edge_ai.msg import Alert, MitigationStatus, MitigationStep, ModelUpdate, NodeMetrics, Reading, SystemStatus
from edge_ai.nodes.camera_node import CameraNode
from edge_ai.nodes.control_node import ControlNode
from edge_ai.nodes.monitor_node import MonitorNode
from edge_ai.nodes.qos import ALERTS, LATCHED
from edge_ai.srv import Profile, Report

# Nothing that the machine does while others use it, too, is to raise one.
CALM = {f"monitor:alert_{name}": 0.0 for name in ("cpu", "memory", "gpu", "temperature")}
QUICK = {"monitor:period": 0.2, "monitor:alert_after": 0.0, "monitor:alert_clear_after": 0.0}
LADDER = """
steps:
  - name: slower
    when: [memory]
    do:
      - set: {control.max_linear_speed: 0.1}
    dwell: 1
    recover: 1
"""


@pytest.fixture
def free_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def watch(ros, free_port, tmp_path, monkeypatch):
    """Starts an active monitor beside other nodes, and hears what it says."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    class Watch:
        def __init__(self, *nodes, **params):
            self.port = params.pop("port", free_port)
            ladder = params.pop("ladder", "")
            if ladder:
                (tmp_path / "mitigation.yaml").write_text(ladder)
            params = {
                "monitor:metrics_port": self.port,
                "monitor:mitigation": tmp_path / "mitigation.yaml" if ladder else "none",
                **CALM,
                **QUICK,
                **params,
            }
            self.ros = ros(**params)
            self.status = self.ros.listen(SystemStatus, "monitor/status", 50)
            self.alerts = self.ros.listen(Alert, "monitor/alerts", 50)
            self.ladder = self.ros.listen(MitigationStatus, "monitor/mitigation", 50)
            self.nodes = [self.ros.add(make()) for make in nodes]
            self.node = self.ros.add(MonitorNode())
            for node in (*self.nodes, self.node):
                assert self.ros.do(node, "configure"), node.fault
                assert self.ros.do(node, "activate"), node.fault

        def put(self, name, value, node="monitor"):
            parameter = Parameter(name, value=value).to_parameter_msg()
            return self.ros.call(SetParameters, f"{node}/set_parameters", parameters=[parameter]).results[0]

        def read(self, name):
            return {r.name: r.value for r in self.status[-1].readings}.get(name, math.nan) if self.status else math.nan

        def page(self, path):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()

    return Watch


def test_machine_and_nodes_are_told_of(watch, until):
    it = watch(CameraNode, **{"camera:source": "synthetic://320x240@15", "monitor:target_fps": 10.0})
    until(lambda: it.read("camera/rate") > 5 and not math.isnan(it.read("cpu")), "the camera's rate, the CPU's load")
    status = it.status[-1]
    assert 0 < status.memory < 1
    assert status.memory_total > 2**28
    assert len(status.cpu_core_load) >= 1
    assert status.fps_target == 10.0
    assert "camera" in {rate.name for rate in status.node_rates}
    assert it.read("monitor/load") < 1.0


def test_cameras_in_namespaces_of_their_own_are_found(watch, until):
    it = watch()
    metrics = it.ros.probe.create_publisher(NodeMetrics, "front/node_metrics", 10)
    it.ros.probe.create_service(Profile, "front/camera/profile", lambda _, response: response)  # every node has it
    rate = NodeMetrics(node="camera", period=1.0, readings=[Reading(name="rate", value=29.0)])
    until(lambda: metrics.publish(rate) or it.read("front/camera/rate") == 29.0, "its rate")
    metrics.publish(NodeMetrics(node="camera"))
    until(lambda: math.isnan(it.read("front/camera/rate")), "its end")


def test_an_alert_is_raised_once_and_cleared_once_also_for_whoever_comes_late(watch, until):
    it = watch(**{"monitor:alert_memory": 0.001})
    until(lambda: it.alerts, "the alert")
    (raised,) = it.alerts
    assert (raised.name, raised.active, raised.metric, raised.level) == ("memory", True, "memory", Alert.WARN)
    assert raised.value > raised.limit
    until(lambda: it.status[-1].alerts, "the status that has it")
    assert it.put("alert_memory", 0.999).successful
    until(lambda: len(it.alerts) > 1, "its end")
    until(lambda: not it.status[-1].alerts, "the status without it")
    assert [alert.active for alert in it.alerts] == [True, False]
    late = it.ros.listen(Alert, "monitor/alerts", ALERTS)
    until(lambda: len(late) == 2, "what was said before")
    assert [alert.active for alert in late] == [True, False]


def test_a_step_is_taken_and_undone_through_the_services_of_the_node(watch, until):
    it = watch(ControlNode, ladder=LADDER, **{"monitor:alert_memory": 0.001})
    (control,) = it.nodes
    until(lambda: control.params[""].max_linear_speed == 0.1, "the step")
    until(lambda: it.ladder and it.ladder[-1].steps[0].state == MitigationStep.TAKEN, "the status that has it")
    assert it.ladder[-1].level == 1
    assert "slower" in it.ladder[-1].message
    until(lambda: it.status[-1].alerts and it.status[-1].alerts[0].mitigation == "slower", "the alert that names it")
    assert it.put("alert_memory", 0.999).successful
    until(lambda: control.params[""].max_linear_speed == 0.3, "the former value")
    until(lambda: it.ladder[-1].level == 0, "the status without it")


def test_a_step_that_the_operator_does_not_want_is_not_taken(watch, until):
    it = watch(ControlNode, ladder=LADDER, **{"monitor:alert_memory": 0.001, "monitor:vetoed": "[slower]"})
    until(lambda: it.ladder and it.ladder[-1].steps[0].state == MitigationStep.VETOED, "the status")
    refused = it.put("vetoed", ["fly"])
    assert not refused.successful
    assert "slower" in refused.reason
    assert it.nodes[0].params[""].max_linear_speed == 0.3
    assert it.put("vetoed", [""]).successful
    until(lambda: it.nodes[0].params[""].max_linear_speed == 0.1, "the step after all")


def test_it_reports_over_a_window(watch, until):
    it = watch()
    until(lambda: len(it.status) > 3, "some samples")
    answer = it.ros.call(Report, "monitor/report", window=60.0, metrics=["memory", "monitor/"])
    assert answer.success
    assert "memory" in answer.names
    assert "memory_total" not in answer.names
    at = answer.names.index("memory")
    assert 0 < answer.means[at] <= answer.maxima[at] < 1
    assert answer.p50[at] <= answer.p95[at] <= answer.p99[at]
    assert answer.samples[at] >= 3
    assert "memory" in answer.text
    assert it.ros.call(Report, "monitor/report", metrics=["nonsense"]).message


def test_prometheus_and_whoever_watches_from_outside_are_answered(watch, until):
    it = watch()
    until(lambda: "edge_ai_memory" in it.page("/metrics"), "metrics")
    assert it.page("/livez")


def test_prometheus_is_told_of_updates_of_the_model_also_of_those_before_it_came(watch, until):
    one = watch()
    update = ModelUpdate(state=ModelUpdate.PROBATION, active="nano 2", candidate="nano 2", switches=2, rollbacks=1)
    one.ros.probe.create_publisher(ModelUpdate, "inference/model_update", LATCHED).publish(update)
    until(lambda: "edge_ai_model_rollbacks_total 1.0" in one.page("/metrics"), "the count")
    said = 'edge_ai_model_update_info{active="nano 2",candidate="nano 2",state="probation"} 1.0'
    assert said in one.page("/metrics")


def test_a_port_that_is_taken_is_no_reason_not_to_watch(watch, until):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        it = watch(port=other.getsockname()[1])
        reports = it.ros.listen(DiagnosticArray, "/diagnostics")
        until(lambda: len(it.status) > 1, "samples")
        until(
            lambda: any(
                s.name == "monitor" and s.level == DiagnosticStatus.WARN and str(it.port) in s.message
                for report in list(reports)
                for s in report.status
            ),
            "the reason on /diagnostics",
        )


def test_a_file_that_makes_no_sense_is_refused_in_words(ros, tmp_path):
    (tmp_path / "bad.yaml").write_text("steps: [{name: fly}]")
    one = ros(**{"monitor:mitigation": tmp_path / "bad.yaml"})
    node = one.add(MonitorNode())
    assert not one.do(node, "configure")
    assert "bad.yaml" in node.fault


def test_it_can_be_taken_down_and_brought_up_again(watch, until):
    it = watch()
    until(lambda: it.status, "a sample")
    assert it.ros.do(it.node, "deactivate")
    assert it.ros.do(it.node, "cleanup")
    it.status.clear()
    assert it.ros.do(it.node, "configure")
    assert it.ros.do(it.node, "activate"), it.node.fault
    until(lambda: it.status, "a sample again")
