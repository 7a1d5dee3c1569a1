"""router_node: images of the cameras in, each answered by the inference node or by a server, results out in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.core.clock import NS
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.readings import Readings
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.camera_feed import CameraFeed
from edge_ai.nodes.cloud_side import cloud_side
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.reader import Inbox, Reader
from edge_ai.nodes.router_status import RouterStatusPublisher
from edge_ai.nodes.runner import run
from edge_ai.nodes.topic_edge import TopicEdge
from edge_ai.routing.decision import Where
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.side import Source
from edge_ai.routing.status import RouterStatus
from edge_ai.runtime.routes import Routes
from edge_ai.runtime.told import tell_routing
from edge_ai.runtime.uplink import Connected


class RouterNode(ManagedNode):
    """Stands between the cameras and the inference node, which it moves into the namespace ``edge``."""

    def __init__(self) -> None:
        classes = {"": RouterParams, "cloud.": CloudParams}
        super().__init__("router", classes, rates=("rate", "dropped", "failed"))
        self._feeds: dict[str, CameraFeed] = {}
        self._status: RouterStatusPublisher | None = None
        self._edge: TopicEdge | None = None
        self._routes: Routes | None = None
        self._remote: Connected | None = None
        self._reader: Reader | None = None
        self._report_timer: Any = None
        self._last_error = ""

    def configure(self) -> None:
        params, cloud = self.params[""], self.params["cloud."]
        cloud_side(self, cloud, self.clock).close()  # says now what is wrong with the parameters
        for camera in params.cameras:
            self._feeds[camera] = CameraFeed(self, camera, params.transport, forward=True)
        self._status = RouterStatusPublisher(self, self._ask_status)
        self.get_logger().info(f"policy {params.policy}, {cloud.url or 'no server is configured'}")

    def activate(self) -> None:
        params, cloud = self.params[""], self.params["cloud."]
        self._last_error = ""
        self._edge = TopicEdge(self, params.cameras, params.transport)
        remote = self._remote = cloud_side(self, cloud, self.clock, router=lambda: self.params[""])
        remote.configure(score_threshold=cloud.score_threshold, classes=cloud.classes)
        self._routes = Routes(
            self._edge,
            remote,
            params,
            self.clock,
            self._on_result,
            self._on_error,
            ping_period=cloud.ping_period,
        )
        self._edge.start()
        self._routes.start()
        inboxes = [feed.listen(self._offer, self._complain) for feed in self._feeds.values()]
        self._reader = Reader(self, inboxes, self._take, "images")
        if params.report_period:
            self._report_timer = self.every(params.report_period, self._report)

    def deactivate(self) -> None:
        if self._reader is not None:
            self._reader.stop()
        for feed in self._feeds.values():
            feed.deafen()
        if self._report_timer is not None:
            self.destroy_timer(self._report_timer)
        if self._routes is not None:
            self._routes.stop()
        elif self._remote is not None:
            self._remote.close()
        if self._edge is not None:
            self._edge.destroy()
        self._reader = self._report_timer = self._remote = self._routes = self._edge = None

    def cleanup(self) -> None:
        self.deactivate()
        for feed in self._feeds.values():
            feed.destroy()
        if self._status is not None:
            self._status.destroy()
        self._feeds, self._status = {}, None

    def params_changed(self) -> None:
        if self._routes is not None:
            self._routes.router.update(self.params[""])
        if self._remote is not None:
            cloud = self.params["cloud."]
            self._remote.configure(score_threshold=cloud.score_threshold, classes=cloud.classes)
            self._remote.adjust(cloud)

    def diagnose(self) -> Diagnosis:
        status = self._ask_status()
        assert status is not None
        counts = status.counts
        values: dict[str, object] = {
            "answers of the edge": counts.answers[Where.EDGE],
            "answers of the cloud": counts.answers[Where.CLOUD],
            "expired": counts.expired,
            "failed": counts.failed,
            "overtaken": counts.overtaken,
            "dropped by the edge": counts.dropped,
            "repeated": counts.repeated,
            "skipped": counts.decisions[Where.SKIP],
            "dropped, not taken": sum(feed.missed for feed in self._feeds.values()),
            "unreadable images": sum(feed.unreadable for feed in self._feeds.values()),
            "cloud": status.cloud.name,
            "breaker": status.cloud.breaker,
        }
        if self._last_error:
            error, self._last_error = self._last_error, ""
            return DiagnosticStatus.ERROR, error, values
        if why := status.edge.state.why:
            return DiagnosticStatus.ERROR, f"edge: {why}", values
        fault = self._routes.fault if self._routes is not None else ""
        if self.params["cloud."].url and (fault or not status.cloud.state.ready):
            return DiagnosticStatus.WARN, f"cloud: {fault or status.cloud.state.why}", values
        return DiagnosticStatus.OK, "active", values

    def measure(self) -> Mapping[str, Readings]:
        assert self._routes is not None
        assert self._status is not None
        counts = self._routes.router.counts
        self.stats.total("dropped", counts.dropped + sum(feed.missed for feed in self._feeds.values()))
        self.stats.total("failed", counts.failed)
        tell_routing(self.stats, self._status.report)
        return {}

    def _ask_status(self) -> RouterStatus | None:
        return self._routes.router.status if self._routes is not None else None

    def _take(self, _inbox: Inbox) -> None:
        for feed in self._feeds.values():
            feed.poll()

    def _offer(self, frame: Source) -> None:
        if self._routes is not None:
            self._routes.router.offer(frame)

    def _on_result(self, result: Result, frame: Source) -> None:
        feed, routes = self._feeds.get(frame.camera), self._routes
        if feed is None or routes is None:
            return
        if not isinstance(frame, Frame) and feed.publisher.annotator.watched:
            frame = frame.read()
        feed.publisher.result(result, frame, feed.missed + routes.router.counts.dropped)
        self.stats.add(result.timings, (self.clock.steady_ns() - result.header.steady_ns) / NS)

    def _on_error(self, _frame: Source, error: Exception) -> None:
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        self._last_error = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
        self.get_logger().error(f"frame without a result: {self._last_error}", throttle_duration_sec=1.0)

    def _report(self) -> None:
        status = self._ask_status()
        if status is not None:
            self.get_logger().info(status.line())


def main() -> int:
    """Run the node; returns the exit status."""
    return run(RouterNode)
