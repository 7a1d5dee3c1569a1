"""What every decoder is: it turns a model's raw outputs into boxes, scores of classes, or maps of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edge_ai.core.errors import InferenceError
from edge_ai.core.types import FloatArray
from edge_ai.processing.card_part import CardPart
from edge_ai.processing.decode.raw import RawClasses as RawClasses
from edge_ai.processing.decode.raw import RawDetections as RawDetections
from edge_ai.processing.decode.raw import RawMap as RawMap
from edge_ai.processing.decode.raw import check_finite as check_finite

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Target:
    """What a decoder has to know about its model besides its own options.

    Attributes:
        size: (width, height) of the model's input in pixels.
        classes: number of classes.
        threshold: least score of what is reported.
        keypoints: number of keypoints of an object.
    """

    size: tuple[int, int]
    classes: int
    threshold: float
    keypoints: int = 0


class DecoderOptions(CardPart):
    """Base of the options under ``decoder`` in a model card."""

    family: str = Field(description="model family")


O = TypeVar("O", bound=DecoderOptions)  # noqa: E741 - O for options
F = TypeVar("F", RawDetections, RawClasses, RawMap)


class Decoder(ABC, Generic[O, F]):
    """Base of all decoders; a family writes `decode` and names its tasks, roles and options.

    Generic over its options and over what it finds, which decides what becomes of it. Thread-safe: calling one changes
    nothing in it.

    Args:
        options: the family's own options.
        names: name of the model's tensor for each role.
        target: input size, number of classes and threshold.
    """

    OPTIONS: ClassVar[type[DecoderOptions]]
    ROLES: ClassVar[tuple[tuple[str, ...], ...]]
    """The sets of roles it can read; a model has the tensors of one of them."""
    TASKS: ClassVar[tuple[str, ...]] = ("detection",)
    NEEDS_NMS: ClassVar[bool] = True

    def __init__(self, options: O, names: Mapping[str, str], target: Target) -> None:
        self.options, self.names, self.target = options, dict(names), target

    @classmethod
    def unfit(cls, options: O, roles: Collection[str], target: Target) -> str:
        """What on a card does not go together, in words; empty if all does. A family may say so here.

        Args:
            options: the family's own options.
            roles: those of the card, one of the sets in ``ROLES``.
            target: as given to the decoder.
        """
        return ""

    def __call__(self, outputs: Mapping[str, Array]) -> F:
        """Decode the outputs for one image.

        Args:
            outputs: by tensor name, each with a first axis of 1; tensors that no role needs are ignored.

        Raises:
            InferenceError: a tensor is missing, of the wrong shape, NaN or infinite, or a score is no probability.
        """
        found = self.decode({role: self._tensor(outputs, role) for role in self.names})
        found.check()
        return found

    @abstractmethod
    def decode(self, tensors: dict[str, FloatArray]) -> F:
        """Decode finite float32 tensors, by role; they may be the backend's own memory: do not write to them."""

    def expect(self, role: str, tensor: FloatArray, *shape: int | str) -> None:
        """Make sure that a tensor has a shape; a word in it stands for any length.

        Raises:
            InferenceError: it has not.
        """
        fits = len(shape) == tensor.ndim
        if fits and all(isinstance(want, str) or want == got for want, got in zip(shape, tensor.shape, strict=True)):
            return
        wanted = f"[{', '.join(str(length) for length in shape)}]"
        mend = "correct the card's 'decoder', 'input.size' or number of 'labels' or 'keypoints'"
        raise InferenceError(self._what(role), got=f"shape {list(tensor.shape)}", wanted=wanted, mend=mend)

    def _tensor(self, outputs: Mapping[str, Array], role: str) -> FloatArray:
        tensor = outputs.get(self.names[role])
        if tensor is None:
            known = ", ".join(outputs)
            mend = "correct the card's 'outputs'"
            raise InferenceError(self._what(role), got="no such tensor", wanted=f"one of {known}", mend=mend)
        values: FloatArray = np.ascontiguousarray(tensor, np.float32)
        check_finite(self._what(role), values)
        return values

    def _what(self, role: str) -> str:
        return f"model output '{self.names[role]}' ({role} of {self.options.family})"
