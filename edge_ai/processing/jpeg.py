"""Images as JPEG files."""

from __future__ import annotations

from typing import Any

import cv2
from numpy.typing import NDArray

from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame
from edge_ai.processing.image import to_channels


def to_jpeg(pixels: NDArray[Any], quality: int) -> bytes:
    """A JPEG file.

    Args:
        pixels: (H, W, 3) BGR or (H, W) grey, uint8.
        quality: 1 to 100.

    Raises:
        ImageError: the image is empty, or too large for a JPEG.
    """
    try:
        done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise ImageError("image", got=" ".join(str(error).split()), wanted="one that fits into a JPEG") from None
    if not done:
        raise ImageError("image", got=f"shape {pixels.shape}", wanted="one that fits into a JPEG")
    return data.tobytes()


def frame_to_jpeg(frame: Frame, quality: int) -> bytes:
    """A frame as a JPEG file; grey ones stay grey.

    Raises:
        ImageError: it is empty, of an encoding that cannot be read, or too large for a JPEG.
    """
    grey = frame.encoding.startswith("mono")
    return to_jpeg(to_channels(frame.image, frame.encoding, "gray" if grey else "bgr"), quality)
