"""recorder_node: the last seconds of what the robot saw, thought and did, written when something happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import Alert, CameraStatus, ControlStatus, NodeMetrics, RecorderStatus
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.convert_watch import alert_from_msg
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.qos import STATUS
from edge_ai.nodes.recorder_topics import RecorderTopics
from edge_ai.nodes.runner import run
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder, RecorderState
from edge_ai.recording.silence import Silence
from edge_ai.recording.triggers import Triggers

_FIELDS = [one.name for one in fields(RecorderState) if one.name != "losses"]


class RecorderNode(ManagedNode):
    """Keeps messages in memory; an alert, a node that dies, an emergency stop or a request makes a file of them."""

    def __init__(self) -> None:
        super().__init__("recorder", {"": RecorderParams}, rates=())
        self._recorder: FlightRecorder | None = None
        self._topics: RecorderTopics | None = None
        self._triggers: Triggers | None = None
        self._silence = Silence(self.clock)
        self._failed: set[str] = set()
        self._publisher: Any = None
        self._timer: Any = None
        self.create_service(Trigger, "recorder/record", self._on_record)

    def configure(self) -> None:
        self._publisher = self.publisher(RecorderStatus, "recorder/status", STATUS)

    def activate(self) -> None:
        self._recorder = FlightRecorder(self.params[""], self.clock)
        self._triggers = Triggers(self._recorder, self.params[""])
        self._silence = Silence(self.clock)
        self._failed.clear()
        hooks = {
            "monitor/alerts": self._on_alert,
            "control/status": self._on_control,
            "camera/status": self._on_camera,
            "node_metrics": self._on_metrics,
        }
        self._topics = RecorderTopics(self, lambda: self.params[""], self._recorder, self.clock, hooks)
        self._timer = self.every(1.0, self._look)

    def deactivate(self) -> None:
        if self._timer is not None:
            self.destroy_timer(self._timer)
        if self._topics is not None:
            self._topics.close()
        if self._recorder is not None:
            self._recorder.close()
        self._timer = self._topics = self._triggers = self._recorder = None

    def cleanup(self) -> None:
        self.deactivate()
        if self._publisher is not None:
            self.destroy_publishers(self._publisher)
        self._publisher = None

    def params_changed(self) -> None:
        if self._recorder is not None:
            self._recorder.update(self.params[""])
        if self._triggers is not None:
            self._triggers.update(self.params[""])

    def diagnose(self) -> Diagnosis:
        assert self._recorder is not None
        assert self._topics is not None
        status = self._recorder.status
        values: dict[str, object] = {name: getattr(status, name) for name in _FIELDS}
        values |= {f"lost of {topic}": count for topic, count in status.losses.items() if count}
        values["topics"] = ", ".join(sorted(self._topics.topics))
        if status.fault:
            return DiagnosticStatus.ERROR, status.fault, values
        if status.recording:
            return DiagnosticStatus.OK, f"recording: {status.reason}", values
        return DiagnosticStatus.OK, f"{status.buffered:.0f} s in memory", values

    def measure(self) -> Mapping[str, Readings]:
        assert self._recorder is not None
        status = self._recorder.status
        self.stats.total("messages", status.messages)
        self.stats.total("dropped", status.lost)
        return {}

    def _look(self) -> None:
        for node in self._silence.lost():
            self._told(self._triggers and self._triggers.crash(f"{node} fell silent: dead or hung"))
        if self._recorder is not None:
            status = self._recorder.status
            header = Header(stamp=convert.ns_to_time(self.clock.stamp_ns()))
            self._publisher.publish(RecorderStatus(header=header, **{name: getattr(status, name) for name in _FIELDS}))

    def _told(self, path: Path | None) -> None:
        if path is not None:
            self.get_logger().warning(f"recording {path}")

    # On the listening thread ------------------------------------------------------------------------------------

    def _on_alert(self, _topic: str, message: Alert) -> None:
        if self._triggers is not None:
            self._told(self._triggers.alert(alert_from_msg(message)))

    def _on_control(self, _topic: str, message: ControlStatus) -> None:
        if self._triggers is not None:
            self._told(self._triggers.control(message.state))

    def _on_camera(self, topic: str, message: CameraStatus) -> None:
        """A camera that gives up is a crash; once, however often it says so."""
        if message.state != CameraStatus.FAILED:
            self._failed.discard(topic)
        elif self._triggers is not None and topic not in self._failed:
            self._failed.add(topic)
            camera = topic.removesuffix("/status").removeprefix("/")
            self._told(self._triggers.crash(f"{camera}: {message.detail}"))

    def _on_metrics(self, topic: str, message: NodeMetrics) -> None:
        """Only a process can be lost, not one of several parts of it."""
        if not message.period or any(reading.name == "memory" for reading in message.readings):
            node = topic.removesuffix("node_metrics") + message.node
            self._silence.heard(node, excused=not message.period)

    # ------------------------------------------------------------------------------------------------------------

    def _on_record(self, _request: Any, response: Trigger.Response) -> Trigger.Response:
        if self._triggers is None:
            response.message = "the recorder is not active"
            return response
        try:
            response.message = str(self._triggers.request())
            response.success = True
        except EdgeAIError as error:
            response.message = str(error)
        return response


def main() -> int:
    """Run the node; returns the exit status."""
    return run(RecorderNode)
