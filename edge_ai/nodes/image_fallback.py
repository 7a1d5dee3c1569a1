"""The encodings that are not read in place: cv_bridge where ROS installed it, else rosbags-image."""

from __future__ import annotations

import types as pytypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from edge_ai.core.errors import ImageError
from edge_ai.core.types import Image


def to_bgr(message: Any) -> Image:
    """A sensor_msgs/Image of any encoding as (H, W, 3) BGR.

    Raises:
        ImageError: nothing installed can read the encoding.
    """
    try:
        return np.asarray(_converter()(message), np.uint8)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(
            f"image encoding '{message.encoding}'",
            got=f"{type(error).__name__}: {error}",
            wanted="an encoding of sensor_msgs/image_encodings.hpp",
            mend="publish bgr8, rgb8 or mono8",
        ) from error


def decode_jpeg(data: Any, kind: str) -> Image:
    """A compressed picture as (H, W, 3) BGR. OpenCV loads here, since few nodes need it.

    Raises:
        ImageError: the data is no picture.
    """
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if len(data) else None
    if pixels is None:
        raise ImageError(f"compressed image of format '{kind}'", got=f"{len(data)} bytes that are no picture")
    return np.asarray(pixels, np.uint8)


@cache
def _converter() -> Callable[[Any], Any]:
    try:
        from cv_bridge import CvBridge
    except ImportError:
        return _with_rosbags()
    bridge = CvBridge()
    return lambda message: bridge.imgmsg_to_cv2(message, desired_encoding="bgr8")


def _with_rosbags() -> Callable[[Any], Any]:
    try:
        from rosbags.image import image_to_cvimage
        from rosbags.image.image import to_cvtype
    except ImportError as error:
        raise ImageError(
            "image of an uncommon encoding",
            wanted="cv_bridge or rosbags-image to convert it",
            mend="apt install ros-$ROS_DISTRO-cv-bridge, or pip install rosbags-image",
        ) from error

    def convert(message: Any) -> Any:
        _, _, kind, channels = to_cvtype(message.encoding)
        row = message.width * channels * np.dtype(kind).itemsize
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        # It wants numpy data without padding between rows; rclpy has array.array, perhaps with padding.
        view = pytypes.SimpleNamespace(
            encoding=message.encoding,
            height=message.height,
            width=message.width,
            step=message.step,
            is_bigendian=message.is_bigendian,
            data=np.ascontiguousarray(rows[:, :row]),
        )
        return image_to_cvimage(view, "bgr8")

    return convert
