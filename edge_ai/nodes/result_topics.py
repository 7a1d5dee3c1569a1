"""What a model publishes: shared by inference_node and pipeline_node."""

from __future__ import annotations

from sensor_msgs.msg import Image

from edge_ai.core.types import Frame, Result
from edge_ai.msg import InferenceResult
from edge_ai.nodes import convert
from edge_ai.nodes.annotator import Annotator
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import NEWEST
from edge_ai.nodes.vision import VisionPublisher


class ResultPublisher:
    """inference/results, inference/segmentation, inference/annotated and, with vision_msgs installed,
    inference/detections and inference/classification.

    The masks of a segmenter also come with its results; on a topic of their own any viewer can show them.

    Args:
        node: publishes.
        camera: namespace of these topics, relative to the node's; empty for none.
    """

    def __init__(self, node: ManagedNode, camera: str = "") -> None:
        self._node = node
        prefix = in_namespace(camera, "inference")
        self._results = node.publisher(InferenceResult, f"{prefix}/results", NEWEST)
        self._masks = node.publisher(Image, f"{prefix}/segmentation", NEWEST)
        self._vision = VisionPublisher(node, prefix)
        self.annotator = Annotator(node, f"{prefix}/annotated")

    def result(self, result: Result, frame: Frame, dropped: int) -> None:
        """Publish one result, and the frame drawn over if somebody looks."""
        if self._results.get_subscription_count():
            self._results.publish(convert.result_to_msg(result, dropped))
        if result.segmentation is not None and self._masks.get_subscription_count():
            self._masks.publish(convert.mask_to_msg(result.segmentation, convert.header_to_msg(result.header)))
        self._vision.publish(result)
        self.annotator.offer(result, frame)

    def destroy(self) -> None:
        """Take the topics down."""
        self.annotator.destroy()
        self._vision.destroy()
        self._node.destroy_publishers(self._results, self._masks)


def in_namespace(camera: str, topic: str) -> str:
    """A relative topic in the namespace of a camera."""
    return f"{camera}/{topic}" if camera else topic
