"""sensor_msgs images of a bag as arrays, in the encoding they have."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge_ai.core.errors import ImageError, SourceError
from edge_ai.core.types import Image

RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"

# (channels, bytes of a sample) by encoding.
_ENCODINGS = {
    "bgr8": (3, 1), "rgb8": (3, 1), "bgra8": (4, 1), "rgba8": (4, 1), "mono8": (1, 1), "mono16": (1, 2),
    "yuv422": (2, 1), "uyvy": (2, 1), "yuv422_yuy2": (2, 1), "yuyv": (2, 1), "nv12": (1, 1), "nv21": (1, 1),
    "bayer_rggb8": (1, 1), "bayer_bggr8": (1, 1), "bayer_gbrg8": (1, 1), "bayer_grbg8": (1, 1),
}  # fmt: skip
_SAME = {"8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8"}


def image_of(message: Any, kind: str) -> tuple[Image, str]:
    """The pixels of a message and their encoding.

    Args:
        message: as rosbags deserialises it.
        kind: `RAW` or `COMPRESSED`.

    Returns:
        (H, W), (H, W, channels) or, for nv12 and nv21, (3/2 H, W) of uint8, of mono16 uint16; possibly read-only.

    Raises:
        ImageError: this one is torn.
        SourceError: images of this encoding cannot be played.
    """
    return _compressed(message) if kind == COMPRESSED else _raw(message)


def _compressed(message: Any) -> tuple[Image, str]:
    if "compressedDepth" in message.format:
        raise SourceError("images of the bag", got=f"the format '{message.format}'", wanted="colour or grey, not depth")
    data = np.asarray(message.data, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise ImageError(f"compressed image of format '{message.format}'", got=f"{data.size} bytes that are no picture")
    return np.asarray(pixels, np.uint8), "bgr8"


def _raw(message: Any) -> tuple[Image, str]:
    encoding = _SAME.get(message.encoding, message.encoding)
    if encoding not in _ENCODINGS:
        wanted = f"one of {', '.join(_ENCODINGS)}"
        raise SourceError("images of the bag", got=f"the encoding '{message.encoding}'", wanted=wanted)
    channels, width = _ENCODINGS[encoding]
    rows = message.height * 3 // 2 if encoding in ("nv12", "nv21") else message.height
    row = message.width * channels * width
    data = np.asarray(message.data, np.uint8)
    if not row or not rows or message.step < row or data.size != message.step * rows:
        got = f"{message.width} x {message.height} in {data.size} bytes with {message.step} a row"
        raise ImageError(f"torn {encoding} image", got=got, wanted=f"{rows} rows of at least {row} bytes")
    pixels: Any = np.ascontiguousarray(data.reshape(rows, message.step)[:, :row])
    if width == 2:
        pixels = pixels.view(">u2" if message.is_bigendian else "<u2").astype(np.uint16)
    return pixels if channels == 1 else pixels.reshape(rows, message.width, channels), encoding
