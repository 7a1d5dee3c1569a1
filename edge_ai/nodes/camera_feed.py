"""One of the cameras that a model serves: its images come in here, and its results go out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, PendingFrame
from edge_ai.nodes import images
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.kept import keep
from edge_ai.nodes.qos import SENSOR
from edge_ai.nodes.reader import Inbox
from edge_ai.nodes.result_topics import ResultPublisher, in_namespace


class CameraFeed:
    """camera/image_raw in, inference/results out, all in the namespace of the camera's name.

    Args:
        node: the inference node.
        camera: name of the camera, relative to the node's namespace; empty for the one camera of a small robot.
        transport: "raw" or "compressed".
        forward: frames remember their messages, see `edge_ai.nodes.kept`.
    """

    def __init__(self, node: ManagedNode, camera: str, transport: str, *, forward: bool = False) -> None:
        self.camera = camera
        self._forward = forward
        self.unreadable = 0
        self.publisher = ResultPublisher(node, camera)
        self._node, self._transport = node, transport
        self._inbox: Inbox | None = None
        # An image taken first and submitted last would take the place of a newer one.
        self._polling = threading.Lock()
        self._read: Callable[..., Frame | PendingFrame] = images.frame_from_cdr

    @property
    def topic(self) -> str:
        """Full name of the topic its images come from."""
        tail = "/compressed" if self._transport == "compressed" else ""
        return str(self._node.resolve_topic_name(in_namespace(self.camera, f"camera/image_raw{tail}")))

    def listen(self, submit: Callable[[Frame | PendingFrame], None], complain: Callable[[Exception], None]) -> Inbox:
        """Hand on images as frames of this camera, whenever `poll` is called.

        Args:
            submit: takes the frames.
            complain: takes the reason why an image cannot be read.

        Returns:
            Where they come in, for a `Reader`.
        """
        self.unreadable = 0
        self._submit, self._complain = submit, complain
        compressed = self._transport == "compressed"
        self._read = images.frame_from_compressed if compressed else images.frame_from_cdr
        kind = CompressedImage if compressed else Image
        self._inbox = self._node.inbox(kind, self.topic, SENSOR, raw=not compressed)
        return self._inbox

    def poll(self) -> None:
        """Submit what has come, without waiting for it; safe between threads, which keep the order of the images."""
        with self._polling:
            inbox = self._inbox
            while inbox is not None and (message := inbox.take()) is not None:
                try:
                    frame = self._read(message, self._node.clock)
                    if self._forward:
                        frame = keep(frame, message)
                except EdgeAIError as error:
                    self.unreadable += 1
                    self._complain(error)
                else:
                    self._submit(replace(frame, camera=self.camera) if self.camera else frame)

    @property
    def missed(self) -> int:
        """Images that came and were replaced before a worker was free for them, or were lost on the way."""
        return self._inbox.missed if self._inbox is not None else 0

    def deafen(self) -> None:
        """Take no more images; harmless twice. Whoever reads has stopped."""
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            inbox.close()
            self._node.destroy_subscription(inbox.subscription)

    def destroy(self) -> None:
        """Take the topics down."""
        self.deafen()
        self.publisher.destroy()
