"""cloud_node: answers the images of other machines, with a model of this one or with a server behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from edge_ai.batching.fair_queue import Share
from edge_ai.core.clock import NS, to_steady
from edge_ai.core.errors import EdgeAIError, ImageError
from edge_ai.core.types import Frame, FrameHeader, PendingFrame, Result
from edge_ai.monitoring.readings import Readings
from edge_ai.msg import InferenceRequest, InferenceResponse
from edge_ai.nodes import convert, images
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.deferred_service import DeferredService
from edge_ai.nodes.diagnostics import Diagnosis
from edge_ai.nodes.runner import run
from edge_ai.processing.card import ModelCard
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Source
from edge_ai.runtime.batching import policy_for
from edge_ai.runtime.cloud_service import MOST_IN_FLIGHT, CloudService, CloudServiceParams, Status
from edge_ai.runtime.model_side import ModelSide
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.trusted import confirm_launched
from edge_ai.runtime.uplink import Connected, Uplink, remote
from edge_ai.runtime.variants import Variants
from edge_ai.srv import CloudInference

_SHARES = {str(priority): Share(priority=priority) for priority in range(3)}


class CloudNode(ManagedNode):
    """Offers ``cloud/infer``; every request is answered, with a result or with the reason why there is none."""

    def __init__(self) -> None:
        classes = {"": CloudServiceParams, "inference.": InferenceParams, "cloud.": CloudParams}
        super().__init__("cloud", classes, rates=("rate", "failed"))
        self._card: ModelCard | None = None
        self._variants: Variants | None = None
        self._side: ModelSide | None = None
        self._uplink: Uplink | None = None
        self._server: Connected | None = None
        self._service: CloudService | None = None
        self._offer: DeferredService | None = None
        self._report_timer: Any = None
        self._told = 0

    def configure(self) -> None:
        params, inference = self.params[""], self.params["inference."]
        gateway = bool(self.params["cloud."].url) if params.answer_with == "auto" else params.answer_with == "gateway"
        if not gateway:
            variants = Variants(inference, self.clock)
            variants.open()
            confirm_launched(inference)
            self._variants, self._card = variants, variants.original.card
            self.get_logger().info(f"model {variants.serving.title} on {variants.model.backend.description}")
            return
        self._card = ModelCard.load(self.params["cloud."].card or inference.model or shipped_card())
        remote(self.params["cloud."], self.clock, self._card).close()  # says now what is wrong with the parameters
        self.get_logger().info(f"model {self._card.name} at {self.params['cloud.'].url}")

    def activate(self) -> None:
        assert self._card is not None
        params = self.params[""]
        if self._variants is not None:
            inference = self.params["inference."]
            self._side = side = ModelSide(
                self._variants.model,
                policy_for(inference, self._variants.original)[0],
                workers=inference.workers,
                capacity=MOST_IN_FLIGHT,  # the service counts, by a limit that may change
                shares=_SHARES,
            )
            side.start()
            self._service = CloudService(side, self._card, params, self.clock)
        else:
            self._server = server = remote(self.params["cloud."], self.clock, self._card)
            self._report_only(server)
            self._uplink = Uplink(server, lambda seconds: None, self.params["cloud."].ping_period)
            self._uplink.start()
            self._service = CloudService(server, self._card, params, self.clock)
        self._offer = DeferredService(self, CloudInference, "cloud/infer", self._on_request)
        if params.report_period:
            self._report_timer = self.every(params.report_period, self._report)

    def deactivate(self) -> None:
        if self._report_timer is not None:
            self.destroy_timer(self._report_timer)
        if self._offer is not None:
            self._offer.stop()
        if self._side is not None:
            self._side.stop()
        if self._uplink is not None:
            self._uplink.stop()
        if self._offer is not None:
            self._offer.close()
        self._report_timer = self._offer = self._side = self._uplink = self._server = self._service = None
        self._told = 0

    def cleanup(self) -> None:
        self.deactivate()
        if self._variants is not None:
            self._variants.close()
        self._variants = self._card = None

    def params_changed(self) -> None:
        if self._variants is not None:
            self._variants.update(self.params["inference."])
        if self._server is not None:
            self._report_only(self._server)
            self._server.adjust(self.params["cloud."])
        if self._service is not None:
            self._service.params = self.params[""]

    def diagnose(self) -> Diagnosis:
        assert self._service is not None
        counts = self._service.counts
        values: dict[str, object] = {status.name.lower().replace("_", " "): counts[status] for status in Status}
        values["in flight"] = self._service.in_flight
        if self._uplink is not None and self._uplink.fault:
            return DiagnosticStatus.ERROR, self._uplink.fault, values
        if self._variants is not None and self._variants.note:
            return DiagnosticStatus.WARN, self._variants.note, values
        return DiagnosticStatus.OK, "active", values

    def free_memory(self) -> int:
        return self._variants.free_memory() if self._variants is not None else super().free_memory()

    def measure(self) -> Mapping[str, Readings]:
        assert self._service is not None
        counts = self._service.counts
        self.stats.total("rate", counts[Status.OK])
        self.stats.total("failed", sum(counts.values()) - counts[Status.OK])
        self.stats.gauge("queue", self._service.in_flight)
        return {}

    def _report_only(self, server: Connected) -> None:
        inference = self.params["inference."]
        server.configure(score_threshold=inference.score_threshold, classes=inference.classes)

    def _on_request(self, request: CloudInference.Request, send: Callable[[CloudInference.Response], None]) -> None:
        """On the thread of the service."""
        asked, service = request.request, self._service

        def reply(status: Status, message: str, result: Result | None) -> None:
            response = InferenceResponse(request_id=asked.request_id, status=int(status), message=message)
            if result is not None:
                response.result = convert.result_to_msg(result, 0)
            send(CloudInference.Response(response=response))

        if service is None:
            reply(Status.OVERLOADED, "shutting down", None)
            return
        if not (asked.image.data or asked.compressed_image.data):
            # The way to see whether somebody answers; robots do so every second, and it says nothing of their requests.
            reply(Status.INVALID_REQUEST, "no image; cloud_node is here", None)
            return
        try:
            frame = self._frame(asked)
        except EdgeAIError as error:
            service.refuse(Status.INVALID_REQUEST, str(error), reply)
            return
        service.ask(frame, (asked.model_name, asked.model_version), self._deadline(asked), reply)

    def _frame(self, asked: InferenceRequest) -> Source:
        """The image, its age counted from its arrival; its camera is its priority."""
        raw, compressed = bool(asked.image.data), bool(asked.compressed_image.data)
        if raw and compressed:
            raise ImageError("request", got="two images", wanted="image or compressed_image")
        if asked.priority > InferenceRequest.PRIORITY_HIGH:
            raise ImageError("request", got=f"priority {asked.priority}", wanted="0 to 2")
        if raw:
            frame: Source = images.frame_from_msg(asked.image, self.clock)
        else:
            frame = images.frame_from_compressed(asked.compressed_image, self.clock)
        # The stamp that counts is the request's, and what is timed here is this machine's part alone.
        stamp, now = convert.time_to_ns(asked.header.stamp), self.clock.steady_ns()
        header = replace(frame.header, stamp_ns=stamp, steady_ns=now, frame_id=asked.header.frame_id)
        return _arrived(frame, header, str(asked.priority))

    def _deadline(self, asked: InferenceRequest) -> int | None:
        left = asked.deadline.sec * NS + asked.deadline.nanosec
        if not left:
            return None
        return to_steady(convert.time_to_ns(asked.header.stamp), self.clock) + left

    def _report(self) -> None:
        assert self._service is not None
        counts = self._service.counts
        if sum(counts.values()) != self._told:
            self._told = sum(counts.values())
            words = ", ".join(f"{n} {status.name.lower().replace('_', ' ')}" for status, n in sorted(counts.items()))
            self.get_logger().info(f"requests: {words}; {self._service.in_flight} in flight")


def _arrived(frame: Source, header: FrameHeader, camera: str) -> Source:
    """The same image with another header, whatever its own message says."""
    if isinstance(frame, Frame):
        return replace(frame, header=header, camera=camera)
    read = frame.read

    def later() -> Frame:
        seen = read()
        whole = replace(header, width=seen.header.width, height=seen.header.height)
        return replace(seen, header=whole, camera=camera)

    return PendingFrame(header, later, camera)


def main() -> int:
    """Run the node; returns the exit status."""
    return run(CloudNode)
