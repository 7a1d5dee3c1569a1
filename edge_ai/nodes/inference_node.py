"""inference_node: images of one camera or several in, detections out, always of the newest image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.core.clock import NS
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.performance import PerformanceLog
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import ControlStatus
from edge_ai.nodes.annotator import overlay_of_status
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.camera_feed import CameraFeed
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.qos import NEWEST
from edge_ai.nodes.reader import Inbox, Reader
from edge_ai.nodes.result_topics import publish_card
from edge_ai.nodes.runner import run
from edge_ai.runtime.batching import policy_for
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline
from edge_ai.runtime.told import PipelineTold
from edge_ai.runtime.variants import Variants

_LOOK = 0.5  # s between two looks for somebody who watches
_BUSY = 0.1  # s to wait for a worker before looking whether this is to end


class InferenceNode(ManagedNode):
    """Runs the model of a card on the images of all cameras it is told of."""

    def __init__(self) -> None:
        super().__init__("inference", {"": InferenceParams}, rates=("rate", "dropped", "failed"))
        self._told = PipelineTold(self.stats)
        self._variants: Variants | None = None
        self._pipeline: Pipeline | None = None
        self._feeds: dict[str, CameraFeed] = {}
        self._reader: Reader | None = None
        self._control: Any = None
        self._card: Any = None
        self._performance = PerformanceLog(self.clock)
        self._report_timer: Any = None
        self._control_timer: Any = None
        self._last_error = ""

    def configure(self) -> None:
        params = self.params[""]
        variants = Variants(params, self.clock)
        variants.open()
        self._variants = variants
        self._card = publish_card(self, variants.choices[0].path)
        for camera in params.cameras:
            self._feeds[camera] = CameraFeed(self, camera, params.transport)
        batching = policy_for(params, variants.original)[1]
        self.get_logger().info(f"model {variants.serving.title} on {variants.model.backend.description}, {batching}")

    def activate(self) -> None:
        assert self._variants is not None
        params, self._last_error = self.params[""], ""
        policy = policy_for(params, self._variants.original)[0]
        self._pipeline = Pipeline(
            self._variants.model,
            self._on_result,
            self._on_error,
            workers=params.workers,
            policy=policy,
            shares=params.shares,
            max_age=params.max_age,
            refresh=self._refresh if policy.max_size == 1 else None,
        )
        self._pipeline.start()
        inboxes = [feed.listen(self._pipeline.submit, self._complain) for feed in self._feeds.values()]
        self._reader = Reader(self, inboxes, partial(self._take, self._pipeline, policy.max_size > 1), "images")
        self._control_timer = self.every(_LOOK, self._watch_control)
        if params.report_period:
            self._performance = PerformanceLog(self.clock)
            self._report_timer = self.every(params.report_period, self._report)

    def deactivate(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
        for feed in self._feeds.values():
            feed.deafen()
        if self._control is not None:
            self.destroy_subscription(self._control)
        for timer in (self._control_timer, self._report_timer):
            if timer is not None:
                self.destroy_timer(timer)
        self._control = self._control_timer = self._report_timer = None
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None

    def cleanup(self) -> None:
        self.deactivate()
        for feed in self._feeds.values():
            feed.destroy()
        self._feeds = {}
        if self._card is not None:
            self.destroy_publishers(self._card)
            self._card = None
        if self._variants is not None:
            self._variants.close()
        self._variants = None

    def params_changed(self) -> None:
        if self._variants is not None:
            self._variants.update(self.params[""])

    def free_memory(self) -> int:
        return self._variants.free_memory() if self._variants is not None else super().free_memory()

    def diagnose(self) -> Diagnosis:
        assert self._pipeline is not None
        values: dict[str, object] = {}
        silent = []
        for camera, feed in self._feeds.items():
            counts, of = self._pipeline.counts_of(camera), f"{camera}: " if len(self._feeds) > 1 else ""
            values[f"{of}processed"] = counts.processed
            values[f"{of}dropped"] = counts.dropped + feed.missed
            values[f"{of}dropped, not taken"] = feed.missed
            values[f"{of}failed"] = counts.failed
            values[f"{of}unreadable images"] = feed.unreadable
            values |= {f"{of}dropped, {reason}": count for reason, count in counts.reasons.items()}
            if not counts.processed:
                silent.append(feed.topic)
        if self._variants is not None:
            values["model"], values["engine"] = self._variants.serving.title, self._variants.model.backend.description
        if self._last_error:
            error, self._last_error = self._last_error, ""
            return DiagnosticStatus.ERROR, error, values
        if self._variants is not None and self._variants.note:
            return DiagnosticStatus.WARN, self._variants.note, values
        if silent:
            return DiagnosticStatus.WARN, f"no result yet: waiting for images on {', '.join(silent)}", values
        return DiagnosticStatus.OK, "active", values

    def measure(self) -> Mapping[str, Readings]:
        assert self._pipeline is not None
        self.stats.gauge("variants", self.params[""].lighter)
        self._told.tell(self._pipeline.counts, sum(feed.missed for feed in self._feeds.values()))
        return {}

    def _take(self, pipeline: Pipeline, batches: bool, _inbox: Inbox) -> None:
        """Take images when a worker is free: taken earlier they would only be copied and replaced.

        A policy that batches has to see them all, to know what comes how often.
        """
        if batches or pipeline.wait_idle(_BUSY):
            self._refresh()

    def _refresh(self) -> None:
        for feed in self._feeds.values():
            feed.poll()

    def _watch_control(self) -> None:
        """Listen to the controller only while somebody sees what is drawn of it: it speaks with every result."""
        watched = any(feed.publisher.annotator.watched for feed in self._feeds.values())
        if watched and self._control is None:
            self._control = self.subscription(ControlStatus, "control/status", self._on_control, NEWEST)
        elif not watched and self._control is not None:
            self.destroy_subscription(self._control)
            self._control = None

    def _on_control(self, message: ControlStatus) -> None:
        for feed in list(self._feeds.values())[:1]:  # the camera that steers
            feed.publisher.annotator.overlay(overlay_of_status(message))

    def _on_result(self, result: Result, frame: Frame) -> None:
        pipeline, feed = self._pipeline, self._feeds.get(frame.camera)
        if pipeline is None or feed is None:
            return
        feed.publisher.result(result, frame, pipeline.counts_of(frame.camera).dropped + feed.missed)
        age = (self.clock.steady_ns() - result.header.steady_ns) / NS
        self._performance.add(result.timings, age)
        self.stats.add(result.timings, age)

    def _on_error(self, _frame: Frame, error: Exception) -> None:
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        self._last_error = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
        self.get_logger().error(f"frame without a result: {self._last_error}", throttle_duration_sec=1.0)

    def _report(self) -> None:
        if self._pipeline is not None:
            counts = self._pipeline.counts
            dropped = counts.dropped + sum(feed.missed for feed in self._feeds.values())
            self.get_logger().info(self._performance.line(dropped=dropped, failed=counts.failed))


def main() -> int:
    """Run the node; returns the exit status."""
    return run(InferenceNode)
