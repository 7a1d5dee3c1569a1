"""Pixels to and from sensor_msgs/Image, where they are what they are: no frame, no conversion."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from edge_ai.core import types


def array_to_msg(pixels: types.Image, encoding: str, header: Header) -> Image:
    """Pixels (H, W) or (H, W, C) as a ROS image; one copy of the pixels."""
    pixels = np.ascontiguousarray(pixels)
    # rclpy takes an array of bytes as it is; anything else it copies element by element.
    data = array.array("B")
    data.frombytes(memoryview(pixels).cast("B"))
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding, step=pixels.strides[0])
    message.data = data
    return message
