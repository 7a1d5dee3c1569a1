"""Pixels to and from sensor_msgs/Image, where they are what they are: no frame, no conversion."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from edge_ai.core import types
from edge_ai.core.errors import ImageError


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


def mask_from_msg(message: Image) -> types.Image:
    """A mono8 image as (H, W) uint8, a view of the message's own memory.

    Raises:
        ImageError: it is of another encoding, or torn.
    """
    height, width, step = message.height, message.width, message.step
    if message.encoding != "mono8":
        raise ImageError("mask", got=f"encoding {message.encoding!r}", wanted="mono8")
    if step < width or len(message.data) != step * height:
        got = f"{len(message.data)} bytes, step {step}"
        raise ImageError("torn mask", got=got, wanted=f"{step * height} bytes for {width} x {height}")
    mask: types.Image = np.frombuffer(message.data, np.uint8).reshape(height, step)[:, :width]
    return mask
