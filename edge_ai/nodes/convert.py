"""Between ROS messages and this package's own types; images in images.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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

_LARGEST_CLASS_ID = 100_000


def time_to_ns(stamp: Time) -> int:
    """A stamp in nanoseconds."""
    return int(stamp.sec) * NS + int(stamp.nanosec)


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
    found = message.detections
    ids, labels = _classes(found)
    keypoints, names = _keypoints(found)
    detections = types.Detections(
        boxes=np.array([[d.x_min, d.y_min, d.x_max, d.y_max] for d in found], np.float32).reshape(-1, 4),
        scores=np.array([d.score for d in found], np.float32),
        class_ids=ids,
        labels=labels,
        keypoints=keypoints,
        keypoint_names=names,
    )
    return types.Result(
        header=header_from_msg(message.header, message.image_width, message.image_height, clock),
        detections=detections,
        model_name=message.model_name,
        model_version=message.model_version,
        source=message.source,
        timings={t.stage: t.duration for t in message.timings},
        classification=_classification(message),
        segmentation=_segmentation(message),
        reason=message.reason,
    )


def _classes(found: Sequence[Detection] | Sequence[Classification]) -> tuple[types.IntArray, tuple[str, ...]]:
    """Class numbers, and the names that belong to them, at their places in a table."""
    ids = [d.class_id for d in found]
    if not all(0 <= i < _LARGEST_CLASS_ID for i in ids):
        # A model without a label table: the names alone tell the classes apart.
        order = list(dict.fromkeys(d.class_name for d in found))
        ids = [order.index(d.class_name) for d in found]
    names = dict(zip(ids, (d.class_name for d in found), strict=True))
    return np.array(ids, np.int32), tuple(names.get(i, "") for i in range(max(names, default=-1) + 1))


def _keypoints(found: Sequence[Detection]) -> tuple[types.FloatArray | None, tuple[str, ...]]:
    count = len(found[0].keypoints) if found else 0
    if not count or any(len(d.keypoints) != count for d in found):
        return None, ()
    points = np.array([[(k.x, k.y, k.score) for k in d.keypoints] for d in found], np.float32)
    return points, tuple(k.name for k in found[0].keypoints)


def _classification(message: InferenceResult) -> types.Classification | None:
    if not message.classifications:
        return None
    ids, labels = _classes(message.classifications)
    return types.Classification(np.array([c.score for c in message.classifications], np.float32), ids, labels)


def _segmentation(message: InferenceResult) -> types.Segmentation | None:
    if not message.segmentation.height:
        return None
    return types.Segmentation(pixels.mask_from_msg(message.segmentation))


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
