"""Between ROS messages and this package's own types; images in images.py."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from edge_ai.capture.calibration import Calibration
from edge_ai.capture.status import CaptureStatus
from edge_ai.control.command import Command
from edge_ai.control.tracker import Target
from edge_ai.core import types
from edge_ai.core.clock import NS, Clock, to_steady
from edge_ai.msg import (
    CameraStatus,
    Classification,
    ControlStatus,
    Detection,
    InferenceResult,
    Keypoint,
    StageTiming,
)
from edge_ai.nodes import pixels
from edge_ai.recording.values import result_of
from edge_ai.recording.values import stamp_ns as time_to_ns


def ns_to_time(ns: int) -> Time:
    """A stamp from nanoseconds."""
    return Time(sec=ns // NS, nanosec=ns % NS)


def header_to_msg(header: types.FrameHeader) -> Header:
    """The capture stamp and frame, as they were."""
    return Header(stamp=ns_to_time(header.stamp_ns), frame_id=header.frame_id)


def header_from_msg(header: Header, width: int, height: int, clock: Clock) -> types.FrameHeader:
    """The header of an image of that size, its age measured on this process's steady clock from now on."""
    stamp = time_to_ns(header.stamp)
    return types.FrameHeader(stamp, to_steady(stamp, clock), header.frame_id, -1, width, height)


def calibration_to_msg(calibration: Calibration, header: Header) -> CameraInfo:
    """A calibration as CameraInfo; all zeros in k mean not calibrated."""
    return CameraInfo(
        header=header,
        width=calibration.width,
        height=calibration.height,
        distortion_model=calibration.distortion_model,
        d=list(calibration.d),
        k=list(calibration.k),
        r=list(calibration.r),
        p=list(calibration.p),
    )


def detection_to_msg(detections: types.Detections, i: int) -> Detection:
    """Detection ``i``."""
    x1, y1, x2, y2 = (float(v) for v in detections.boxes[i])
    points = [] if detections.keypoints is None else detections.keypoints[i].tolist()
    names = detections.keypoint_names
    return Detection(
        class_id=int(detections.class_ids[i]),
        class_name=detections.name(i),
        score=float(detections.scores[i]),
        x_min=x1,
        y_min=y1,
        x_max=x2,
        y_max=y2,
        track_id=-1,
        keypoints=[Keypoint(name=n, x=x, y=y, score=s) for n, (x, y, s) in zip(names, points, strict=True)]
        if points
        else [],
    )


def classes_to_msg(found: types.Classification) -> list[Classification]:
    """All classes, best first."""
    return [
        Classification(class_id=int(number), class_name=found.name(i), score=float(score))
        for i, (number, score) in enumerate(zip(found.class_ids, found.scores, strict=True))
    ]


def mask_to_msg(found: types.Segmentation, header: Header) -> Image:
    """The mask as a mono8 image."""
    return pixels.array_to_msg(found.mask, "mono8", header)


def result_to_msg(result: types.Result, dropped: int) -> InferenceResult:
    """A result; ``dropped`` frames so far."""
    message = InferenceResult(
        header=header_to_msg(result.header),
        source=result.source,
        reason=result.reason,
        model_name=result.model_name,
        model_version=result.model_version,
        image_width=result.header.width,
        image_height=result.header.height,
        detections=[detection_to_msg(result.detections, i) for i in range(len(result.detections))],
        timings=[StageTiming(stage=stage, duration=float(s)) for stage, s in result.timings.items()],
        dropped=dropped,
    )
    if result.classification is not None:
        message.classifications = classes_to_msg(result.classification)
    if result.segmentation is not None:
        message.segmentation = mask_to_msg(result.segmentation, message.header)
    return message


def result_from_msg(message: InferenceResult, clock: Clock) -> types.Result:
    """A result whose ages are measured on this process's steady clock from now on.

    A message does not carry the label table: of it the classes that were found remain, and of a mask none.

    Raises:
        ImageError: the mask is torn or not mono8.
    """
    return result_of(message, to_steady(time_to_ns(message.header.stamp), clock))


def twist(velocity: types.Velocity) -> Twist:
    """A planar velocity as a Twist."""
    message = Twist()
    message.linear.x, message.angular.z = velocity.linear, velocity.angular
    return message


def camera_status_to_msg(status: CaptureStatus, source: str, header: Header, index: int) -> CameraStatus:
    """The camera's state, with the frame it goes with."""
    return CameraStatus(
        header=header,
        state=int(status.state),
        source=source,
        detail=status.detail,
        frame_index=index,
        captured=status.captured,
        dropped=status.dropped,
        reconnects=status.reconnects,
    )


def _target_to_msg(target: Target) -> Detection:
    x1, y1, x2, y2 = target.box
    return Detection(
        class_id=target.class_id,
        class_name=target.class_name,
        score=target.score,
        x_min=x1,
        y_min=y1,
        x_max=x2,
        y_max=y2,
        track_id=target.track_id,
    )


def command_to_status(command: Command, stamp: Time, frame_id: str) -> ControlStatus:
    """What a command does and why."""
    message = ControlStatus(
        header=Header(stamp=stamp, frame_id=frame_id),
        state=int(command.state),
        reason=command.reason,
        command=twist(command.velocity),
        commands=command.commands,
        refused=command.refused,
    )
    if command.header is not None:
        message.has_result = True
        message.result_stamp = ns_to_time(command.header.stamp_ns)
        message.age = float(command.age_s)
    if command.target is not None:
        message.has_target = True
        message.target = _target_to_msg(command.target)
    return message
