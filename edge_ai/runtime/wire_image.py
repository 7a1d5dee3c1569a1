"""An image as it travels to a server."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.types import Frame
from edge_ai.processing.card import ModelCard
from edge_ai.processing.image import image_size, to_channels
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.processing.resize import Placement, Preprocessor, place
from edge_ai.routing.cloud.base import CloudRequestError
from edge_ai.routing.cloud.tensors import fits
from edge_ai.runtime.wire import Wire


@dataclass(frozen=True, slots=True)
class Sent:
    """An image ready to be sent.

    Attributes:
        array: of the shape that the server wants.
        placement: where the image lies in the model's input.
    """

    array: NDArray[Any]
    placement: Placement


class WireImage:
    """Makes requests' arrays of images. It keeps its working memory: use one a thread.

    Args:
        card: how an input tensor is prepared.
        wire: what is sent.
    """

    def __init__(self, card: ModelCard, wire: Wire) -> None:
        self.wire = wire
        self._card = card
        self._preprocessor = Preprocessor(card.input)

    def pack(self, frame: Frame, quality: int) -> Sent:
        """An image as the server wants it.

        Args:
            frame: with the image.
            quality: of a JPEG, 1 to 100.

        Raises:
            ImageError: the image is empty or of an encoding that cannot be read, or no JPEG can be made of it.
            CloudRequestError: the server takes images of another size only.
        """
        spec = self._card.input
        if self.wire.sends == "tensor":
            tensor = np.empty(spec.shape, spec.dtype)  # the request keeps it, for it may be sent again
            return Sent(tensor, self._preprocessor.prepare(frame.image, frame.encoding, tensor))
        if self.wire.sends == "jpeg":
            array = _boxed(frame_to_jpeg(frame, quality), len(self.wire.tensor.shape))
        else:
            array = self._raw(frame)
        return Sent(array, place(image_size(frame.image, frame.encoding), spec)[0])

    def _raw(self, frame: Frame) -> NDArray[Any]:
        pixels = np.ascontiguousarray(to_channels(frame.image, frame.encoding, "bgr"))
        pattern = self.wire.tensor.shape
        array = pixels.reshape((1,) * (len(pattern) - 3) + pixels.shape)
        if not fits(array.shape, pattern):
            raise CloudRequestError(
                "an image", got=str(list(array.shape)), wanted=f"{list(pattern)}, as the server says"
            )
        return array


def packed_bytes(card: ModelCard, wire: Wire, pixels: int) -> float:
    """Bytes of an image of so many pixels where that does not depend on what it shows; NaN for a JPEG."""
    if wire.sends == "jpeg":
        return math.nan
    if wire.sends == "image":
        return 3.0 * pixels
    return float(math.prod(card.input.shape) * np.dtype(card.input.dtype).itemsize)


def _boxed(data: bytes, axes: int) -> NDArray[Any]:
    array = np.empty((1,) * axes, object)
    array.flat[0] = data
    return array
