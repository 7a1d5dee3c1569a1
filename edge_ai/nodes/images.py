"""Between ROS images and frames, without a copy for the common encodings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from edge_ai.core import types
from edge_ai.core.clock import Clock, to_steady
from edge_ai.core.errors import ImageError
from edge_ai.nodes.convert import header_from_msg, header_to_msg, time_to_ns
from edge_ai.nodes.image_cdr import ImageView, read_image, write_image
from edge_ai.nodes.image_fallback import decode_jpeg, to_bgr
from edge_ai.nodes.pixels import array_to_msg

# Bytes a pixel of the encodings that are read in place, without a copy.
_IN_PLACE = {
    "bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1, "8UC1": 1, "8UC3": 3,
    "yuv422": 2, "uyvy": 2, "yuv422_yuy2": 2, "yuyv": 2,
    "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1, "bayer_grbg8": 1,
}  # fmt: skip


def image_to_msg(frame: types.Frame) -> Image:
    """A frame as a ROS image; one copy of the pixels."""
    return array_to_msg(frame.image, frame.encoding, header_to_msg(frame.header))


def image_to_cdr(frame: types.Frame) -> bytes:
    """A frame as a ROS image in the bytes that go over the wire, for `Publisher.publish`; one copy of the pixels."""
    return write_image(replace(frame, image=np.ascontiguousarray(frame.image)))


def frame_from_msg(message: Image, clock: Clock) -> types.Frame:
    """A ROS image as a frame: a view of the message's own memory for the common encodings.

    Raises:
        ImageError: zero size, fewer or more bytes than step x height, a row shorter than its pixels, or an encoding
            that nothing installed can read.
    """
    view = ImageView(
        stamp_ns=time_to_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        height=message.height,
        width=message.width,
        encoding=message.encoding,
        is_bigendian=message.is_bigendian,
        step=message.step,
        data=memoryview(message.data),
    )
    return _frame(view, clock)


def frame_from_cdr(cdr: bytes, clock: Clock) -> types.Frame:
    """The bytes of a ROS image, from a subscription with ``raw=True``, as a frame: for the common encodings a view of
    them.

    Raises:
        ImageError: as `frame_from_msg`, and for bytes that are no image.
    """
    return _frame(read_image(cdr), clock)


def _frame(view: ImageView, clock: Clock) -> types.Frame:
    width, height, step, size = view.width, view.height, view.step, len(view.data)
    if not width or not height:
        raise ImageError("image of no size", got=f"{width} x {height}", wanted="at least one pixel")
    if step * height != size:
        raise ImageError("torn image", got=f"{size} bytes", wanted=f"{step * height} (step {step} x height {height})")
    header = types.FrameHeader(view.stamp_ns, to_steady(view.stamp_ns, clock), view.frame_id, -1, width, height)
    channels = _IN_PLACE.get(view.encoding)
    if channels is None:
        return types.Frame(header, to_bgr(view), "bgr8")
    if step < width * channels:
        raise ImageError(
            "image rows too short", got=f"step {step}", wanted=f"at least {width * channels} for {view.encoding}"
        )
    shape, strides = ((height, width), (step, 1))
    if channels > 1:
        shape, strides = (*shape, channels), (step, channels, 1)
    pixels = np.ndarray(shape, np.uint8, buffer=view.data, strides=strides)
    return types.Frame(header, pixels, view.encoding)


def frame_from_compressed(message: CompressedImage, clock: Clock) -> types.PendingFrame:
    """A JPEG or PNG image, its age measured from now on and its pixels decoded when its turn comes."""
    header = header_from_msg(message.header, 0, 0, clock)
    return types.PendingFrame(header, partial(_decode, message, header))


def _decode(message: CompressedImage, header: types.FrameHeader) -> types.Frame:
    pixels = decode_jpeg(message.data, message.format)
    height, width = pixels.shape[:2]
    return types.Frame(replace(header, width=width, height=height), pixels, "bgr8")
