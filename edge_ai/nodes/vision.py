"""Answers as vision_msgs has them, where vision_msgs is installed; it has none for masks and keypoints."""

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
    """Topics for the tools that know vision_msgs; does nothing where it is not installed.

    ``detections`` gets the boxes of every result, ``classification`` the classes of a classifier's.

    Args:
        node: publishes.
        prefix: namespace of the topics, relative to the node's.
    """

    def __init__(self, node: Any, prefix: str) -> None:
        self._node = node
        self._detections = self._classification = None
        if vision:
            self._detections = node.publisher(vision.Detection2DArray, f"{prefix}/detections", NEWEST)
            self._classification = node.publisher(vision.Classification, f"{prefix}/classification", NEWEST)

    def publish(self, result: Result) -> None:
        """Publish a result to whoever subscribes."""
        if self._detections is not None and self._detections.get_subscription_count():
            self._detections.publish(to_detections(result))
        if result.classification is None or self._classification is None:
            return
        if self._classification.get_subscription_count():
            self._classification.publish(to_classification(result))

    def destroy(self) -> None:
        """Take the topics down."""
        if vision:
            self._node.destroy_publishers(self._detections, self._classification)


def to_detections(result: Result) -> Any:
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


def to_classification(result: Result) -> Any:
    """A classifier's result as Classification: classes by name, best first."""
    message, found = vision.Classification(header=convert.header_to_msg(result.header)), result.classification
    for i in range(len(found) if found is not None else 0):
        message.results.append(vision.ObjectHypothesis(class_id=found.name(i), score=float(found.scores[i])))
    return message
