"""Between ROS images and frames, without a copy for the common encodings."""

from __future__ import annotations

import array

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from edge_ai.core import types
from edge_ai.core.clock import Clock
from edge_ai.core.errors import ImageError
from edge_ai.nodes.convert import header_from_msg, header_to_msg
from edge_ai.nodes.image_fallback import decode_jpeg, to_bgr

# Bytes a pixel of the encodings that are read in place, without a copy.
_IN_PLACE = {
    "bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1, "8UC1": 1, "8UC3": 3,
    "yuv422": 2, "uyvy": 2, "yuv422_yuy2": 2, "yuyv": 2,
    "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1, "bayer_grbg8": 1,
}  # fmt: skip


def image_to_msg(frame: types.Frame) -> Image:
    """A frame as a ROS image; one copy of the pixels."""
    return array_to_msg(frame.image, frame.encoding, header_to_msg(frame.header))


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


def frame_from_msg(message: Image, clock: Clock) -> types.Frame:
    """A ROS image as a frame: a view of the message's own memory for the common encodings.

    Raises:
        ImageError: zero size, fewer or more bytes than step x height, a row shorter than its pixels, or an encoding
            that nothing installed can read.
    """
    width, height, step, size = message.width, message.height, message.step, len(message.data)
    if not width or not height:
        raise ImageError("image of no size", got=f"{width} x {height}", wanted="at least one pixel")
    if step * height != size:
        raise ImageError("torn image", got=f"{size} bytes", wanted=f"{step * height} (step {step} x height {height})")
    header = header_from_msg(message.header, width, height, clock)
    channels = _IN_PLACE.get(message.encoding)
    if channels is None:
        return types.Frame(header, to_bgr(message), "bgr8")
    if step < width * channels:
        raise ImageError(
            "image rows too short", got=f"step {step}", wanted=f"at least {width * channels} for {message.encoding}"
        )
    shape, strides = ((height, width), (step, 1))
    if channels > 1:
        shape, strides = (*shape, channels), (step, channels, 1)
    pixels = np.ndarray(shape, np.uint8, buffer=memoryview(message.data), strides=strides)
    return types.Frame(header, pixels, message.encoding)


def frame_from_compressed(message: CompressedImage, clock: Clock) -> types.Frame:
    """A JPEG or PNG image as a frame.

    Raises:
        ImageError: the data is no picture.
    """
    pixels = decode_jpeg(message.data, message.format)
    height, width = pixels.shape[:2]
    return types.Frame(header_from_msg(message.header, width, height, clock), pixels, "bgr8")
