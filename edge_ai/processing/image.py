"""Images of every common encoding as the channels somebody wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
from numpy.typing import NDArray

from edge_ai.core.encodings import image_size as image_size
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Image

Color = Literal["bgr", "rgb", "gray"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one sensor_msgs encoding lies in memory and what OpenCV calls it.

    Attributes:
        prefix: source in OpenCV's names of colour conversions.
        suffix: end of those names ("_NV12").
        channels: length of the last axis; 1 stands for no such axis.
        bits: bits a sample.
        pointwise: a pixel needs no neighbours to be converted, so that it can be resized first.
    """

    prefix: str
    suffix: str = ""
    channels: int = 1
    bits: int = 8
    pointwise: bool = False


# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first row's first two.
ENCODINGS: dict[str, Encoding] = {
    "bgr8": Encoding("BGR", channels=3, pointwise=True),
    "rgb8": Encoding("RGB", channels=3, pointwise=True),
    "bgra8": Encoding("BGRA", channels=4, pointwise=True),
    "rgba8": Encoding("RGBA", channels=4, pointwise=True),
    "mono8": Encoding("GRAY", pointwise=True),
    "mono16": Encoding("GRAY", bits=16),
    "yuv422": Encoding("YUV", "_UYVY", channels=2),
    "uyvy": Encoding("YUV", "_UYVY", channels=2),
    "yuv422_yuy2": Encoding("YUV", "_YUY2", channels=2),
    "yuyv": Encoding("YUV", "_YUY2", channels=2),
    "nv12": Encoding("YUV", "_NV12"),
    "nv21": Encoding("YUV", "_NV21"),
    "bayer_rggb8": Encoding("BayerBG"),
    "bayer_bggr8": Encoding("BayerRG"),
    "bayer_gbrg8": Encoding("BayerGR"),
    "bayer_grbg8": Encoding("BayerGB"),
}


def to_channels(image: NDArray[Any], encoding: str, color: Color, dst: Image | None = None) -> Image:
    """Convert an image.

    Args:
        image: (H, W) or (H, W, channels of the encoding); (3/2 H, W) for nv12 and nv21; uint8, or uint16 for mono16,
            which is scaled so that 65535 becomes 255.
        encoding: sensor_msgs encoding of ``image``.
        color: channels wanted.
        dst: memory to use for the result where its shape fits.

    Returns:
        (H, W, 3) or, for gray, (H, W) uint8. ``image`` itself where nothing is to be done.

    Raises:
        ImageError: the encoding is unknown, or the image is empty or not of that encoding.
    """
    kind = check_image(image, encoding)
    pixels: Any = cv2.convertScaleAbs(image, alpha=255 / 65535) if kind.bits == 16 else image
    if kind.prefix != color.upper():
        code = getattr(cv2, f"COLOR_{kind.prefix}2{color.upper()}{kind.suffix}")
        pixels = cv2.cvtColor(pixels, code, dst=dst)
    converted: Image = pixels
    return converted


def check_image(image: NDArray[Any], encoding: str) -> Encoding:
    """Make sure that an array can be an image of an encoding.

    Raises:
        ImageError: the encoding is unknown, or the image is empty or not of that encoding.
    """
    kind = ENCODINGS.get(encoding)
    if kind is None:
        mend = "let the camera publish one of these"
        raise ImageError("image encoding", got=repr(encoding), wanted=f"one of {', '.join(ENCODINGS)}", mend=mend)
    axes, dtype = image.shape[2:], f"uint{kind.bits}"
    fits = image.dtype == dtype and axes == (() if kind.channels == 1 else (kind.channels,))
    if not fits or image.ndim < 2 or image.size == 0:
        shape = "(H, W)" if kind.channels == 1 else f"(H, W, {kind.channels})"
        got = f"shape {image.shape} of {image.dtype}"
        raise ImageError(f"{encoding} image", got=got, wanted=f"{shape} of {dtype}, not empty")
    _check_halves(image, encoding, kind)
    return kind


def _check_halves(image: NDArray[Any], encoding: str, kind: Encoding) -> None:
    """Colour at half resolution needs whole pairs of pixels."""
    height, width = image.shape[:2]
    odd = kind.prefix == "YUV" and (width % 2 or (kind.channels == 1 and height % 3))
    small = kind.prefix.startswith("Bayer") and min(width, height) < 3
    if odd or small:
        wanted = "whole blocks of pixels (even width and height; Bayer: 3 x 3 or more)"
        raise ImageError(f"{encoding} image", got=f"shape {image.shape}", wanted=wanted)
