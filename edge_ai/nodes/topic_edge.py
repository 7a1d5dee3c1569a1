"""The inference node of this robot, in a process of its own, as a side that a router may ask."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.types import Result
from edge_ai.msg import InferenceResult
from edge_ai.nodes import convert
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.kept import KeptFrame, KeptPendingFrame
from edge_ai.nodes.qos import NEWEST, SENSOR
from edge_ai.nodes.reader import Inbox, Reader
from edge_ai.nodes.result_topics import in_namespace
from edge_ai.routing.asked import Asked
from edge_ai.routing.side import Call, Outcome, Side, Source
from edge_ai.runtime.edge_side import Forget

log = logging.getLogger(__name__)

NAMESPACE = "edge"


class TopicEdge(Side):
    """Images go on to the inference node in the namespace ``edge``, and its results come back from there.

    Args:
        node: publishes and listens.
        cameras: names of the cameras, as the inference node has them below ``edge``.
        transport: "raw" or "compressed".
    """

    name = "edge"

    def __init__(self, node: ManagedNode, cameras: list[str], transport: str) -> None:
        self._node = node
        self._asked = Asked()
        self._frames: dict[tuple[str, int], Source] = {}
        self._reader: Reader | None = None
        kind, tail = (CompressedImage, "/compressed") if transport == "compressed" else (Image, "")
        self._publishers: dict[str, Any] = {}
        self._inboxes: dict[str, Inbox] = {}
        for camera in cameras:
            inner = in_namespace(NAMESPACE, camera) if camera else NAMESPACE
            self._publishers[camera] = node.publisher(kind, f"{inner}/camera/image_raw{tail}", SENSOR)
            self._inboxes[camera] = node.inbox(InferenceResult, f"{inner}/inference/results", NEWEST)
        names = {inbox.subscription: camera for camera, inbox in self._inboxes.items()}
        self._camera_of = lambda inbox: names[inbox.subscription]

    @property
    def unready(self) -> str:
        for publisher in self._publishers.values():
            if not publisher.get_subscription_count():
                return f"no inference node listens on {publisher.topic_name}"
        return ""

    def expected_bytes(self, frame: Source) -> float:
        return 0.0

    def start(self) -> None:
        """Listen to results."""
        self._reader = Reader(self._node, list(self._inboxes.values()), self._on_result, "edge results")

    def destroy(self) -> None:
        """Take the topics down; harmless twice."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
        for inbox in self._inboxes.values():
            inbox.close()
            self._node.destroy_subscription(inbox.subscription)
        publishers, self._publishers, self._inboxes = self._publishers, {}, {}
        self._node.destroy_publishers(*publishers.values())

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> Call:
        camera, header = frame.camera, frame.header
        key = (camera, header.stamp_ns)

        def ended(outcome: Outcome) -> None:
            self._frames.pop(key, None)
            done(outcome)

        if self._asked.add(camera, header.steady_ns, ended):
            self._frames[key] = frame
            try:
                assert isinstance(frame, KeptFrame | KeptPendingFrame)
                self._publishers[camera].publish(frame.message)
            except Exception as error:  # such as a topic that is being taken down
                self._asked.end(camera, header.steady_ns, Outcome(error=error))
        return Forget(partial(self._forget, key, header.steady_ns))

    def _forget(self, key: tuple[str, int], at_ns: int) -> None:
        self._frames.pop(key, None)
        self._asked.forget(key[0], at_ns)

    def _on_result(self, inbox: Inbox) -> None:
        message = inbox.take()
        if message is None:
            return
        camera = self._camera_of(inbox)
        frame = self._frames.get((camera, convert.time_to_ns(message.header.stamp)))
        if frame is None:
            return  # nobody waits for it any more
        at_ns = frame.header.steady_ns
        try:
            outcome = Outcome(result=_of_frame(convert.result_from_msg(message, self._node.clock), frame))
        except Exception as error:
            outcome = Outcome(error=error)
        self._asked.answer(camera, at_ns, outcome)


def _of_frame(result: Result, frame: Source) -> Result:
    """With the header of the frame as it was, so that its age is not measured anew."""
    return replace(
        result, header=replace(frame.header, width=result.header.width, height=result.header.height), source="edge"
    )
