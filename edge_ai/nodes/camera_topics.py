"""What a camera publishes: shared by camera_node and pipeline_node."""

from __future__ import annotations

from pathlib import Path

import cv2
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from edge_ai.capture.calibration import Calibration
from edge_ai.capture.params import CameraParams
from edge_ai.capture.status import CaptureStatus
from edge_ai.core.types import Frame
from edge_ai.msg import CameraStatus
from edge_ai.nodes import convert, images
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.qos import SENSOR, STATUS


class CameraPublisher:
    """camera/image_raw, camera/image_raw/compressed, camera/camera_info and camera/status.

    Raises:
        EdgeAIError: the calibration file is missing or wrong.
    """

    def __init__(self, node: ManagedNode, params: CameraParams, source: str) -> None:
        self._node, self._params, self._source = node, params, source
        self._calibration = Calibration.load(Path(params.calibration)) if params.calibration else None
        self._image = node.publisher(Image, "camera/image_raw", SENSOR)
        self._compressed = node.publisher(CompressedImage, "camera/image_raw/compressed", SENSOR)
        self._info = node.publisher(CameraInfo, "camera/camera_info", SENSOR)
        self._status = node.publisher(CameraStatus, "camera/status", STATUS)

    def frame(self, frame: Frame, status: CaptureStatus) -> None:
        """Publish one frame to whoever subscribes; nothing is converted for nobody."""
        if self._image.get_subscription_count():
            self._image.publish(images.image_to_cdr(frame))
        if self._compressed.get_subscription_count():
            self._compressed.publish(self._jpeg(frame))
        if self._info.get_subscription_count():
            calibration = self._calibration or Calibration.none(frame.header.width, frame.header.height)
            self._info.publish(convert.calibration_to_msg(calibration, convert.header_to_msg(frame.header)))
        if self._status.get_subscription_count():
            header, index = convert.header_to_msg(frame.header), frame.header.index
            self._status.publish(convert.camera_status_to_msg(status, self._source, header, index))

    def _jpeg(self, frame: Frame) -> CompressedImage:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._params.jpeg_quality]
        _, data = cv2.imencode(".jpg", frame.image, quality)
        header = convert.header_to_msg(frame.header)
        return CompressedImage(header=header, format=f"{frame.encoding}; jpeg compressed bgr8", data=data.tobytes())

    def status(self, status: CaptureStatus) -> None:
        """Publish a change of state."""
        header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id=self._params.frame_id)
        self._status.publish(convert.camera_status_to_msg(status, self._source, header, max(status.index, 0)))

    def destroy(self) -> None:
        """Take the topics down."""
        self._node.destroy_publishers(self._image, self._compressed, self._info, self._status)
