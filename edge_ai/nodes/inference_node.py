"""inference_node: camera images in, detections out, always of the newest image."""

from __future__ import annotations

from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.performance import PerformanceLog
from edge_ai.msg import ControlStatus
from edge_ai.nodes import images
from edge_ai.nodes.annotator import overlay_of_status
from edge_ai.nodes.base import Diagnosis, ManagedNode
from edge_ai.nodes.qos import NEWEST, SENSOR
from edge_ai.nodes.result_topics import ResultPublisher
from edge_ai.nodes.runner import run
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline


class InferenceNode(ManagedNode):
    """Runs the model of a card on camera/image_raw."""

    def __init__(self) -> None:
        super().__init__("inference", {"": InferenceParams})
        self._model: Model | None = None
        self._pipeline: Pipeline | None = None
        self._publisher: ResultPublisher | None = None
        self._subscriptions_made: list[Any] = []
        self._performance = PerformanceLog(self.clock)
        self._report_timer: Any = None
        self._unreadable = 0
        self._last_error = ""

    def configure(self) -> None:
        params = self.params[""]
        self._model = Model.load(params, self.clock)
        self._publisher = ResultPublisher(self)
        card = self._model.card
        self.get_logger().info(f"model {card.name} {card.version} on {self._model.backend.description}")

    def activate(self) -> None:
        assert self._model is not None
        params = self.params[""]
        self._unreadable, self._last_error = 0, ""
        self._pipeline = Pipeline(self._model, self._on_result, self._on_error, workers=params.workers)
        self._pipeline.start()
        if params.transport == "compressed":
            camera = self.subscription(CompressedImage, "camera/image_raw/compressed", self._on_compressed, SENSOR)
        else:
            camera = self.subscription(Image, "camera/image_raw", self._on_image, SENSOR, raw=True)
        self._subscriptions_made = [
            camera,
            self.subscription(ControlStatus, "control/status", self._on_control, NEWEST),
        ]
        if params.report_period:
            self._performance = PerformanceLog(self.clock)
            self._report_timer = self.every(params.report_period, self._report)

    def deactivate(self) -> None:
        for made in self._subscriptions_made:
            self.destroy_subscription(made)
        self._subscriptions_made = []
        if self._report_timer is not None:
            self.destroy_timer(self._report_timer)
            self._report_timer = None
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None

    def cleanup(self) -> None:
        self.deactivate()
        if self._publisher is not None:
            self._publisher.destroy()
        if self._model is not None:
            self._model.close()
        self._publisher = self._model = None

    def params_changed(self) -> None:
        if self._model is not None:
            params = self.params[""]
            self._model.configure(score_threshold=params.score_threshold, classes=params.classes)

    def diagnose(self) -> Diagnosis:
        assert self._pipeline is not None
        counts = self._pipeline.counts
        values = {
            "processed": counts.processed,
            "dropped": counts.dropped,
            "failed": counts.failed,
            "unreadable images": self._unreadable,
        }
        if self._last_error:
            error, self._last_error = self._last_error, ""
            return DiagnosticStatus.ERROR, error, values
        if not counts.processed:
            return DiagnosticStatus.WARN, f"no result yet: waiting for images on {self._camera_topic()}", values
        return DiagnosticStatus.OK, "active", values

    def _camera_topic(self) -> str:
        return self.resolve_topic_name("camera/image_raw")

    def _on_image(self, cdr: bytes) -> None:
        self._take(images.frame_from_cdr, cdr)

    def _on_compressed(self, message: CompressedImage) -> None:
        self._take(images.frame_from_compressed, message)

    def _take(self, read: Any, message: Any) -> None:
        if self._pipeline is None:
            return
        try:
            self._pipeline.submit(read(message, self.clock))
        except EdgeAIError as error:
            self._unreadable += 1
            self._complain(error)

    def _on_control(self, message: ControlStatus) -> None:
        if self._publisher is not None:
            self._publisher.annotator.overlay(overlay_of_status(message))

    def _on_result(self, result: Result, frame: Frame) -> None:
        if self._publisher is None or self._pipeline is None:
            return
        self._publisher.result(result, frame, self._pipeline.counts.dropped)
        self._performance.add(result.timings, (self.clock.steady_ns() - result.header.steady_ns) / 1e9)

    def _on_error(self, _frame: Frame, error: Exception) -> None:
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        self._last_error = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
        self.get_logger().error(f"frame without a result: {self._last_error}", throttle_duration_sec=1.0)

    def _report(self) -> None:
        if self._pipeline is not None:
            counts = self._pipeline.counts
            self.get_logger().info(self._performance.line(dropped=counts.dropped, failed=counts.failed))


def main() -> int:
    """Run the node; returns the exit status."""
    return run(InferenceNode)
