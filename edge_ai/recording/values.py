"""The fields of messages as this package's values, the way back of fields.py.

A message is whatever has the fields of its type as attributes: one of rclpy, or one decoded without ROS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_ai.core.clock import NS
from edge_ai.core.errors import ImageError
from edge_ai.core.types import (
    Classification,
    Detections,
    FloatArray,
    FrameHeader,
    Image,
    IntArray,
    Result,
    Segmentation,
)

_LARGEST_CLASS_ID = 100_000


def stamp_ns(stamp: Any) -> int:
    """builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * NS + int(stamp.nanosec)


def result_of(message: Any, steady_ns: int) -> Result:
    """edge_ai/InferenceResult.

    A message does not carry the label table: of it the classes that were found remain, and of a mask none.

    Args:
        message: of that type.
        steady_ns: when its image was captured, on the steady clock of whoever asks.

    Raises:
        ImageError: the mask is torn or not mono8.
    """
    frame_id, width, height = message.header.frame_id, message.image_width, message.image_height
    classes, mask = message.classifications, message.segmentation
    return Result(
        header=FrameHeader(stamp_ns(message.header.stamp), steady_ns, frame_id, -1, width, height),
        detections=_detections(message.detections),
        model_name=message.model_name,
        model_version=message.model_version,
        source=message.source,
        timings={one.stage: one.duration for one in message.timings},
        classification=_classification(classes) if classes else None,
        segmentation=Segmentation(mask_of(mask)) if mask.height else None,
        reason=message.reason,
    )


def mask_of(message: Any) -> Image:
    """A mono8 sensor_msgs/Image as (H, W) uint8, a view of the message's own memory.

    Raises:
        ImageError: it is of another encoding, or torn.
    """
    height, width, step = message.height, message.width, message.step
    if message.encoding != "mono8":
        raise ImageError("mask", got=f"encoding {message.encoding!r}", wanted="mono8")
    if step < width or len(message.data) != step * height:
        got = f"{len(message.data)} bytes, step {step}"
        raise ImageError("torn mask", got=got, wanted=f"{step * height} bytes for {width} x {height}")
    mask: Image = np.frombuffer(message.data, np.uint8).reshape(height, step)[:, :width]
    return mask


def _detections(found: Sequence[Any]) -> Detections:
    ids, labels = _classes(found)
    keypoints, names = _keypoints(found)
    return Detections(
        boxes=np.array([[d.x_min, d.y_min, d.x_max, d.y_max] for d in found], np.float32).reshape(-1, 4),
        scores=np.array([d.score for d in found], np.float32),
        class_ids=ids,
        labels=labels,
        keypoints=keypoints,
        keypoint_names=names,
    )


def _classes(found: Sequence[Any]) -> tuple[IntArray, tuple[str, ...]]:
    """Class numbers, and the names that belong to them, at their places in a table."""
    ids = [one.class_id for one in found]
    if not all(0 <= number < _LARGEST_CLASS_ID for number in ids):
        # A model without a label table: the names alone tell the classes apart.
        order = list(dict.fromkeys(one.class_name for one in found))
        ids = [order.index(one.class_name) for one in found]
    names = dict(zip(ids, (one.class_name for one in found), strict=True))
    return np.array(ids, np.int32), tuple(names.get(number, "") for number in range(max(names, default=-1) + 1))


def _keypoints(found: Sequence[Any]) -> tuple[FloatArray | None, tuple[str, ...]]:
    count = len(found[0].keypoints) if found else 0
    if not count or any(len(one.keypoints) != count for one in found):
        return None, ()
    points = np.array([[(k.x, k.y, k.score) for k in one.keypoints] for one in found], np.float32)
    return points, tuple(k.name for k in found[0].keypoints)


def _classification(found: Sequence[Any]) -> Classification:
    ids, labels = _classes(found)
    return Classification(np.array([one.score for one in found], np.float32), ids, labels)
