"""Messages of ROS 2 without ROS: this package's values as the bytes that rclpy would make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_ai.capture.calibration import Calibration
from edge_ai.control.command import Command
from edge_ai.core.types import Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.recording import fields
from edge_ai.recording.cdr import encode as encode
from edge_ai.recording.schemas import schema_text as schema_text

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
MODEL_UPDATE = "edge_ai/msg/ModelUpdate"


def compressed_image(jpeg: bytes, stamp_ns: int, frame_id: str) -> bytes:
    """A JPEG picture as sensor_msgs/CompressedImage."""
    message = {"header": fields.header(stamp_ns, frame_id), "format": "jpeg", "data": jpeg}
    return encode(COMPRESSED_IMAGE, message)


def camera_info(calibration: Calibration, stamp_ns: int, frame_id: str) -> bytes:
    """A calibration as sensor_msgs/CameraInfo."""
    return encode(CAMERA_INFO, fields.calibration(calibration, stamp_ns, frame_id))


def text(words: str) -> bytes:
    """A std_msgs/String."""
    return encode(STRING, {"data": words})


def inference_result(result: Result, dropped: int = 0) -> bytes:
    """A result as edge_ai/InferenceResult."""
    return encode(RESULT, fields.result(result, dropped))


def control_status(command: Command, stamp_ns: int, frame_id: str) -> bytes:
    """A command as edge_ai/ControlStatus."""
    return encode(CONTROL_STATUS, fields.command(command, stamp_ns, frame_id))


def router_status(report: Mapping[str, object], stamp_ns: int) -> bytes:
    """What a `RouterReporter` reports as edge_ai/RouterStatus."""
    return encode(ROUTER_STATUS, {"header": fields.header(stamp_ns), **report})


def model_update(told: Mapping[str, object], stamp_ns: int) -> bytes:
    """How an update of the model stands, by the fields of msg/ModelUpdate.msg."""
    return encode(MODEL_UPDATE, {"header": fields.header(stamp_ns), **told})


def system_status(sample: Sample, alerts: Sequence[Alert] = (), fps_target: float = 0.0) -> bytes:
    """A sample as edge_ai/SystemStatus."""
    return encode(SYSTEM_STATUS, fields.sample(sample, alerts, fps_target))


def alert(alert: Alert) -> bytes:
    """An alert as edge_ai/Alert."""
    return encode(ALERT, fields.alert(alert))


def mitigation_status(status: MitigationStatus, stamp_ns: int) -> bytes:
    """The ladder's state as edge_ai/MitigationStatus."""
    return encode(MITIGATION_STATUS, fields.mitigation(status, stamp_ns))
