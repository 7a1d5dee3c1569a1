"""What decoders yield, one class a task: in the pixels of the model's input, not yet thinned out or placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_ai.core.errors import InferenceError
from edge_ai.core.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class RawDetections:
    """What a detector found, before non-maximum suppression.

    Attributes:
        boxes: (M, 4) float32, x1, y1, x2, y2 in pixels of the model's input; may reach outside it.
        scores: (M,) float32 in [0, 1], none below the score threshold.
        class_ids: (M,) int32, 0-based.
        keypoints: (M, K, 3) float32, x, y in pixels of the model's input and a score in [0, 1]; None where the model
            finds none.
    """

    boxes: FloatArray
    scores: FloatArray
    class_ids: IntArray
    keypoints: FloatArray | None = None

    def check(self) -> None:
        """Raises InferenceError: a number is NaN or infinite, or a score is no probability."""
        check_probabilities(self.scores)
        check_finite("decoded boxes", self.boxes)
        if self.keypoints is not None:
            check_finite("decoded keypoints", self.keypoints)
            check_probabilities(self.keypoints[:, :, 2])


@dataclass(frozen=True, slots=True)
class RawClasses:
    """What a classifier said.

    Attributes:
        scores: (M,) float32 in [0, 1], none below the score threshold.
        class_ids: (M,) int32, 0-based, each once.
        most: at most so many are reported, the best.
    """

    scores: FloatArray
    class_ids: IntArray
    most: int

    def check(self) -> None:
        """Raises InferenceError: a score is no probability."""
        check_probabilities(self.scores)


@dataclass(frozen=True, slots=True)
class RawMap:
    """What a segmenter said: how likely each class is in each cell of a grid over the model's input.

    Attributes:
        scores: (P, h, w) float32, one map a class that any cell may belong to; the grid covers the whole input.
        class_ids: (P,) int32, 0-based, ascending.
        floor: a pixel in which no class scores as much is of class 0.
    """

    scores: FloatArray
    class_ids: IntArray
    floor: float

    def check(self) -> None:
        """Raises InferenceError: a score is held against the threshold and is no probability."""
        if np.isfinite(self.floor):
            check_probabilities(self.scores)


def check_probabilities(scores: FloatArray) -> None:
    """Make sure that all scores are in [0, 1], but for rounding.

    Raises:
        InferenceError: one is not.
    """
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1.001):
        got = f"scores from {scores.min():g} to {scores.max():g}"
        mend = "correct the decoder's 'activation' or the card's 'outputs'"
        raise InferenceError("model output", got=got, wanted="probabilities, 0 to 1", mend=mend)


def check_finite(what: str, values: FloatArray) -> None:
    """Make sure that no value is NaN or infinite (by least and greatest, which is faster than asking each).

    Raises:
        InferenceError: one is.
    """
    if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        mend = "run the model in float32, or check its file and its input"
        raise InferenceError(what, got=f"{bad} of {values.size} values NaN or infinite", wanted="numbers", mend=mend)
