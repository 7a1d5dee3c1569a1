"""camera_node: frames from a device, a stream, a file or a folder onto camera/image_raw."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.capture.capturer import Capturer, CaptureState, CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.core.clock import NS
from edge_ai.core.types import Frame
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import InferenceResult
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.camera_topics import CameraPublisher
from edge_ai.nodes.convert import time_to_ns
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.qos import NEWEST
from edge_ai.nodes.runner import run

_LEVELS = {
    CaptureState.CONNECTING: DiagnosticStatus.WARN,
    CaptureState.STREAMING: DiagnosticStatus.OK,
    CaptureState.RECONNECTING: DiagnosticStatus.ERROR,
    CaptureState.ENDED: DiagnosticStatus.WARN,
    CaptureState.FAILED: DiagnosticStatus.ERROR,
}
# A frame without a result holds a file that goes "as fast as consumed" up no longer than this.
_PATIENCE = 2.0


class CameraNode(ManagedNode):
    """Publishes what a camera source captures, with the time and number of each frame."""

    def __init__(self) -> None:
        super().__init__("camera", {"": CameraParams}, rates=("rate", "dropped"))
        self._capturer: Capturer | None = None
        self._publisher: CameraPublisher | None = None
        self._consumed = _Consumed()
        self._results = None

    def configure(self) -> None:
        params = self.params[""]
        self._capturer = Capturer(params, self.clock, self._on_frame, self._on_status)
        self._capturer.prepare()
        self._publisher = CameraPublisher(self, params, self._capturer.name)
        if not params.realtime:
            self._results = self.subscription(InferenceResult, "inference/results", self._on_result, NEWEST)
        self.get_logger().info(f"ready to capture from {self._capturer.name}")

    def activate(self) -> None:
        assert self._capturer is not None
        self._capturer.start()

    def deactivate(self) -> None:
        if self._capturer is not None:
            self._capturer.stop()

    def cleanup(self) -> None:
        self.deactivate()
        if self._publisher is not None:
            self._publisher.destroy()
        if self._results is not None:
            self.destroy_subscription(self._results)
        self._capturer = self._publisher = self._results = None

    def params_changed(self) -> None:
        if self._capturer is not None:
            self._capturer.update(self.params[""])

    def diagnose(self) -> Diagnosis:
        assert self._capturer is not None
        status = self._capturer.status
        values = {
            "source": self._capturer.name,
            "captured": status.captured,
            "dropped": status.dropped,
            "reconnects": status.reconnects,
        }
        return _LEVELS[status.state], status.detail or status.state.name.lower(), values

    def measure(self) -> Mapping[str, Readings]:
        assert self._capturer is not None
        self.stats.total("dropped", self._capturer.status.dropped)
        return {}

    def _on_frame(self, frame: Frame) -> None:
        assert self._capturer is not None
        assert self._publisher is not None
        self._publisher.frame(frame, self._capturer.status)
        self.stats.count("rate")
        if not self.params[""].realtime:
            self._consumed.wait(frame.header.stamp_ns, _PATIENCE)

    def _on_status(self, status: CaptureStatus) -> None:
        self.say(_LEVELS[status.state], f"{status.state.name.lower()}{': ' if status.detail else ''}{status.detail}")
        if self._publisher is not None:
            self._publisher.status(status)

    def _on_result(self, message: InferenceResult) -> None:
        self._consumed.reached(time_to_ns(message.header.stamp))


class _Consumed:
    """How far results have come, for a file that goes as fast as it is consumed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stamp_ns = -NS

    def reached(self, stamp_ns: int) -> None:
        with self._changed:
            self._stamp_ns = max(self._stamp_ns, stamp_ns)
            self._changed.notify_all()

    def wait(self, stamp_ns: int, timeout: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stamp_ns >= stamp_ns, timeout)


def main() -> int:
    """Run the node; returns the exit status."""
    return run(CameraNode)
