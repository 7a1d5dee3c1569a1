"""One of the cameras that a model serves: its images come in here, and its results go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, PendingFrame
from edge_ai.nodes import images
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.result_topics import ResultPublisher, in_namespace


class CameraFeed:
    """camera/image_raw in, inference/results out, all in the namespace of the camera's name.

    Args:
        node: the inference node.
        camera: name of the camera, relative to the node's namespace; empty for the one camera of a small robot.
        transport: "raw" or "compressed".
    """

    def __init__(self, node: ManagedNode, camera: str, transport: str) -> None:
        self.camera = camera
        self.unreadable = 0
        self.publisher = ResultPublisher(node, camera)
        self._node, self._transport = node, transport
        self._subscription: Any = None

    @property
    def topic(self) -> str:
        """Full name of the topic its images come from."""
        tail = "/compressed" if self._transport == "compressed" else ""
        return str(self._node.resolve_topic_name(in_namespace(self.camera, f"camera/image_raw{tail}")))

    def listen(self, submit: Callable[[Frame | PendingFrame], None], complain: Callable[[Exception], None]) -> None:
        """Hand on each image as a frame of this camera.

        Args:
            submit: takes the frames.
            complain: takes the reason why an image cannot be read.
        """
        self.unreadable = 0

        def take(read: Callable[..., Frame | PendingFrame], message: Any) -> None:
            try:
                frame = read(message, self._node.clock)
            except EdgeAIError as error:
                self.unreadable += 1
                complain(error)
            else:
                submit(replace(frame, camera=self.camera) if self.camera else frame)

        if self._transport == "compressed":
            self._subscription = self._node.subscription(
                CompressedImage, self.topic, lambda message: take(images.frame_from_compressed, message), SENSOR
            )
        else:
            self._subscription = self._node.subscription(
                Image, self.topic, lambda cdr: take(images.frame_from_cdr, cdr), SENSOR, raw=True
            )

    def deafen(self) -> None:
        """Take no more images; harmless twice."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def destroy(self) -> None:
        """Take the topics down."""
        self.deafen()
        self.publisher.destroy()
