"""What every decoder is: it turns a model's raw outputs into boxes, scores and class numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edge_ai.core.errors import InferenceError
from edge_ai.core.types import FloatArray, IntArray
from edge_ai.processing.card_part import CardPart

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class RawDetections:
    """What a model found, before non-maximum suppression.

    Attributes:
        boxes: (M, 4) float32, x1, y1, x2, y2 in pixels of the model's input; may reach outside it.
        scores: (M,) float32 in [0, 1], none below the score threshold.
        class_ids: (M,) int32, 0-based.
    """

    boxes: FloatArray
    scores: FloatArray
    class_ids: IntArray


@dataclass(frozen=True, slots=True)
class Target:
    """What a decoder has to know about its model besides its own options.

    Attributes:
        size: (width, height) of the model's input in pixels.
        classes: number of classes.
        threshold: least score of a detection.
    """

    size: tuple[int, int]
    classes: int
    threshold: float


class DecoderOptions(CardPart):
    """Base of the options under ``decoder`` in a model card."""

    family: str = Field(description="model family")


O = TypeVar("O", bound=DecoderOptions)  # noqa: E741 - O for options


class Decoder(ABC, Generic[O]):
    """Base of all decoders; a family writes `decode` and names its roles and options.

    Thread-safe: calling one changes nothing in it.

    Args:
        options: the family's own options.
        names: name of the model's tensor for each role.
        target: input size, number of classes and threshold.
    """

    OPTIONS: ClassVar[type[DecoderOptions]]
    ROLES: ClassVar[tuple[tuple[str, ...], ...]]
    """The sets of roles it can read; a model has the tensors of one of them."""
    NEEDS_NMS: ClassVar[bool] = True

    def __init__(self, options: O, names: Mapping[str, str], target: Target) -> None:
        self.options, self.names, self.target = options, dict(names), target

    def __call__(self, outputs: Mapping[str, Array]) -> RawDetections:
        """Decode the outputs for one image.

        Args:
            outputs: by tensor name, each with a first axis of 1; tensors that no role needs are ignored.

        Raises:
            InferenceError: a tensor is missing, of the wrong shape, NaN or infinite, or a score is no probability.
        """
        found = self.decode({role: self._tensor(outputs, role) for role in self.names})
        if found.scores.size and not (found.scores.min() >= 0 and found.scores.max() <= 1.001):
            got = f"scores from {found.scores.min():g} to {found.scores.max():g}"
            mend = "correct the decoder's 'activation' or the card's 'outputs'"
            raise InferenceError("model output", got=got, wanted="probabilities, 0 to 1", mend=mend)
        check_finite("decoded boxes", found.boxes)
        return found

    @abstractmethod
    def decode(self, tensors: dict[str, FloatArray]) -> RawDetections:
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
        mend = "correct the card's 'decoder', 'input.size' or number of 'labels'"
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


def check_finite(what: str, values: FloatArray) -> None:
    """Make sure that no value is NaN or infinite (by least and greatest, which is faster than asking each).

    Raises:
        InferenceError: one is.
    """
    if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        mend = "run the model in float32, or check its file and its input"
        raise InferenceError(what, got=f"{bad} of {values.size} values NaN or infinite", wanted="numbers", mend=mend)
