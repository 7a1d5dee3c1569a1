"""Detections as vision_msgs/Detection2DArray, where vision_msgs is installed."""

from __future__ import annotations

from typing import Any

from edge_ai.core.types import Result
from edge_ai.nodes import convert
from edge_ai.nodes.qos import NEWEST

try:
    from vision_msgs import msg as vision
except ImportError:
    vision = None


class VisionPublisher:
    """A topic for the tools that know vision_msgs; does nothing where it is not installed."""

    def __init__(self, node: Any, topic: str) -> None:
        self._node = node
        self._publisher = node.publisher(vision.Detection2DArray, topic, NEWEST) if vision else None

    def publish(self, result: Result) -> None:
        """Publish a result to whoever subscribes."""
        if self._publisher is not None and self._publisher.get_subscription_count():
            self._publisher.publish(to_vision(result))

    def destroy(self) -> None:
        """Take the topic down."""
        if self._publisher is not None:
            self._node.destroy_publisher(self._publisher)


def to_vision(result: Result) -> Any:
    """A result as Detection2DArray: boxes by centre and size in px, classes by name."""
    header = convert.header_to_msg(result.header)
    message = vision.Detection2DArray(header=header)
    found = result.detections
    for i, (x1, y1, x2, y2) in enumerate(found.boxes.tolist()):
        detection = vision.Detection2D(header=header)
        detection.bbox.center.position.x, detection.bbox.center.position.y = (x1 + x2) / 2, (y1 + y2) / 2
        detection.bbox.size_x, detection.bbox.size_y = x2 - x1, y2 - y1
        hypothesis = vision.ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = found.name(i)
        hypothesis.hypothesis.score = float(found.scores[i])
        detection.results.append(hypothesis)
        message.detections.append(detection)
    return message
