"""Messages of ROS 2 without ROS: this package's values as the bytes that rclpy would make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge_ai.capture.calibration import Calibration
from edge_ai.control.command import Command
from edge_ai.core.types import Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.readings import Sample
from edge_ai.routing.status import RouterStatus

COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
STRING = "std_msgs/msg/String"
RESULT = "edge_ai/msg/InferenceResult"
CONTROL_STATUS = "edge_ai/msg/ControlStatus"
SYSTEM_STATUS = "edge_ai/msg/SystemStatus"
ALERT = "edge_ai/msg/Alert"
MITIGATION_STATUS = "edge_ai/msg/MitigationStatus"
ROUTER_STATUS = "edge_ai/msg/RouterStatus"
RECORDER_STATUS = "edge_ai/msg/RecorderStatus"


def schema_text(name: str) -> str:
    """The definition of a message type with those it is made of, as rosbag2 writes it into MCAP ("ros2msg").

    Args:
        name: "edge_ai/msg/Alert", "sensor_msgs/msg/Image".

    Raises:
        EdgeAIError: none of the places where definitions lie has it.
    """
    raise NotImplementedError


def encode(name: str, message: Mapping[str, Any]) -> bytes:
    """A message as CDR.

    Args:
        name: its type.
        message: values by field, messages in it likewise; what is missing is zero. ``bytes`` for uint8[].
    """
    raise NotImplementedError


def compressed_image(jpeg: bytes, stamp_ns: int, frame_id: str) -> bytes:
    """A JPEG picture as sensor_msgs/CompressedImage."""
    raise NotImplementedError


def camera_info(calibration: Calibration, stamp_ns: int, frame_id: str) -> bytes:
    """A calibration as sensor_msgs/CameraInfo."""
    raise NotImplementedError


def text(words: str) -> bytes:
    """A std_msgs/String."""
    raise NotImplementedError


def inference_result(result: Result, dropped: int = 0) -> bytes:
    """A result as edge_ai/InferenceResult."""
    raise NotImplementedError


def control_status(command: Command, stamp_ns: int, frame_id: str) -> bytes:
    """A command as edge_ai/ControlStatus."""
    raise NotImplementedError


def router_status(status: RouterStatus, stamp_ns: int, shares: Mapping[str, float] | None = None) -> bytes:
    """A router's state as edge_ai/RouterStatus; ``shares`` of the last second by "edge", "cloud", "skip"."""
    raise NotImplementedError


def system_status(sample: Sample, alerts: Sequence[Alert] = (), fps_target: float = 0.0) -> bytes:
    """A sample as edge_ai/SystemStatus."""
    raise NotImplementedError


def alert(alert: Alert) -> bytes:
    """An alert as edge_ai/Alert."""
    raise NotImplementedError


def mitigation_status(status: Any, stamp_ns: int) -> bytes:
    """The ladder's state as edge_ai/MitigationStatus."""
    raise NotImplementedError
