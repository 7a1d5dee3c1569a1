"""What sensor_msgs' image encodings say about the shape of an array."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def image_size(image: NDArray[Any], encoding: str) -> tuple[int, int]:
    """(width, height) in pixels of a sound image; in nv12 and nv21 half as many rows of colour follow the picture."""
    height, width = image.shape[:2]
    return width, height * 2 // 3 if encoding in ("nv12", "nv21") else height
