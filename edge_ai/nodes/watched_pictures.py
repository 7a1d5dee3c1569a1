"""Images and the results of the same images, brought together while somebody looks."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame
from edge_ai.dashboard.feed import PictureFeed
from edge_ai.msg import InferenceResult
from edge_ai.nodes import convert, images
from edge_ai.nodes.mailbox import Mailbox

_DEPTH = 8
_KEPT = 8  # images that wait for their result
_SENSOR = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)


class WatchedPictures:
    """Subscribes to both for as long as it lives; for one thread.

    Args:
        node: subscribes.
        feed: gets each result with its frame.
    """

    def __init__(self, node: Any, feed: PictureFeed) -> None:
        self._node, self._feed = node, feed
        self._images = Mailbox(node, Image, "camera/image_raw", _SENSOR, raw=True)
        self._results = Mailbox(node, InferenceResult, "inference/results", _SENSOR)
        self._frames: OrderedDict[int, Frame] = OrderedDict()

    def poll(self) -> None:
        """Hand on the newest pair."""
        for data, _ in self._images.all():
            try:
                frame = images.frame_from_cdr(data, self._node.clock)
            except EdgeAIError:
                continue  # whoever infers it reports it
            self._frames[frame.header.stamp_ns] = frame
            if len(self._frames) > _KEPT:
                self._frames.popitem(last=False)
        for message, _ in reversed(self._results.all()):
            frame = self._frames.get(convert.time_to_ns(message.header.stamp))
            if frame is not None:
                self._offer(message, frame)
                break

    def close(self) -> None:
        """Subscribe no more."""
        self._images.close()
        self._results.close()

    def _offer(self, message: InferenceResult, frame: Frame) -> None:
        try:
            self._feed.offer(convert.result_from_msg(message, self._node.clock), frame)
        except EdgeAIError:
            return  # a mask that is torn is reported by whoever uses it
