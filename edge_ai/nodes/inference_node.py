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
from edge_ai.nodes.model_update import ModelUpdates, swap_params, update_words
from edge_ai.nodes.qos import NEWEST
from edge_ai.nodes.reader import Inbox, Reader
from edge_ai.nodes.runner import run
from edge_ai.runtime.batching import policy_for
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.status import SwapStatus
from edge_ai.runtime.told import PipelineTold

_LOOK = 0.5  # s between two looks for somebody who watches
_BUSY = 0.1  # s to wait for a worker before looking whether this is to end


class InferenceNode(ManagedNode):
    """Runs the model of a card on the images of all cameras it is told of."""

    def __init__(self) -> None:
        super().__init__("inference", {"": InferenceParams, "swap.": SwapParams}, rates=("rate", "dropped", "failed"))
        self._told = PipelineTold(self.stats)
        self._swap: HotSwap | None = None
        self._updates: ModelUpdates | None = None
        self._pipeline: Pipeline | None = None
        self._feeds: dict[str, CameraFeed] = {}
        self._reader: Reader | None = None
        self._control: Any = None
        self._performance = PerformanceLog(self.clock)
        self._report_timer: Any = None
        self._control_timer: Any = None
        self._last_error = ""

    def configure(self) -> None:
        params = self.params[""]
        swap = HotSwap(params, swap_params(self), self.clock, on_change=self._on_update)
        swap.open()
        self._swap = swap
        self._updates = ModelUpdates(self, swap)
        for camera in params.cameras:
            self._feeds[camera] = CameraFeed(self, camera, params.transport)
        batching = policy_for(params, swap.original)[1]
        self.get_logger().info(f"model {swap.serving.title} on {swap.model.backend.description}, {batching}")

    def activate(self) -> None:
        assert self._swap is not None
        params, self._last_error = self.params[""], ""
        policy = policy_for(params, self._swap.original)[0]
        self._pipeline = Pipeline(
            self._swap.model,
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
        if self._updates is not None:
            self._updates.stop()
        if self._swap is not None:
            self._swap.close()
        if self._updates is not None:
            self._updates.close()
        self._swap = self._updates = None

    def params_changed(self) -> None:
        if self._swap is not None:
            self._swap.update(self.params[""], swap_params(self))

    def free_memory(self) -> int:
        return self._swap.free_memory() if self._swap is not None else super().free_memory()

    def diagnose(self) -> Diagnosis:
        assert self._pipeline is not None
        assert self._swap is not None
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
        values["model"], values["engine"] = self._swap.serving.title, self._swap.model.backend.description
        values |= update_words(self._swap.status)
        if self._last_error:
            error, self._last_error = self._last_error, ""
            return DiagnosticStatus.ERROR, error, values
        if self._swap.note:
            return DiagnosticStatus.WARN, self._swap.note, values
        if silent:
            return DiagnosticStatus.WARN, f"no result yet: waiting for images on {', '.join(silent)}", values
        return DiagnosticStatus.OK, "active", values

    def measure(self) -> Mapping[str, Readings]:
        assert self._pipeline is not None
        self.stats.gauge("variants", self.params[""].lighter)
        self._told.tell(self._pipeline.counts, sum(feed.missed for feed in self._feeds.values()))
        if self._updates is not None:
            self._updates.refresh()
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
        pipeline, swap, feed = self._pipeline, self._swap, self._feeds.get(frame.camera)
        if pipeline is None or swap is None or feed is None:
            return
        feed.publisher.result(result, frame, pipeline.counts_of(frame.camera).dropped + feed.missed)
        age = (self.clock.steady_ns() - result.header.steady_ns) / NS
        self._performance.add(result.timings, age)
        self.stats.add(result.timings, age)
        swap.result(result, frame)

    def _on_update(self, _status: SwapStatus) -> None:
        if self._updates is not None:
            self._updates.publish()

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
