"""A peer: one rclpy node with one callback that does everything, in the style of today's YOLO wrappers.

With its parameter ``tuned`` it takes images best effort, only the newest; else with ROS's default QoS, reliable and
ten deep.
"""

from __future__ import annotations

import numpy as np
import onnxruntime
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from benchmarks.peers import to_tensor
from edge_ai.core.types import FrameHeader, Result
from edge_ai.msg import InferenceResult
from edge_ai.nodes.convert import result_to_msg, time_to_ns
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import PostProcessor
from edge_ai.runtime.resources import shipped_card


class Wrapper(Node):
    """Image in, numpy preprocessing, ONNX Runtime as it comes, decoding and suppression, result out.

    Decoding is ours and the conversion copies nothing, so it is no weaker than it must be.
    """

    def __init__(self) -> None:
        super().__init__("peer")
        tuned = self.declare_parameter("tuned", False).value
        self._card = ModelCard.load(shipped_card())
        self._session = onnxruntime.InferenceSession(str(self._card.model_path), providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]
        self._post = PostProcessor(self._card)
        self._publisher = self.create_publisher(InferenceResult, "inference/results", 10)
        newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(Image, "camera/image_raw", self._on_image, newest if tuned else 10)

    def _on_image(self, message: Image) -> None:
        image = np.ndarray((message.height, message.width, 3), np.uint8, buffer=message.data)  # as cv_bridge does
        tensor, placement = to_tensor(image, self._card)
        outputs = self._session.run(self._names, {self._card.input.name: tensor})
        found = self._post(dict(zip(self._names, outputs, strict=True)), placement)
        stamp = time_to_ns(message.header.stamp)
        header = FrameHeader(stamp, 0, message.header.frame_id, -1, message.width, message.height)
        self._publisher.publish(result_to_msg(Result(header, found, self._card.name, self._card.version), 0))


def main() -> None:
    """Spin until a signal."""
    rclpy.init()
    node = Wrapper()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        node.destroy_node()
    rclpy.try_shutdown()
