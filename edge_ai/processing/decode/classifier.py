"""Classifiers of whole images: a score for each class."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from edge_ai.core.types import FloatArray
from edge_ai.processing.decode.base import Decoder, DecoderOptions, RawClasses
from edge_ai.processing.decode.common import AnyActivation, Background, activated, labelled
from edge_ai.processing.decode.raw import check_probabilities


class ClassifierOptions(DecoderOptions):
    """Options of `Classifier`."""

    family: Literal["classifier"] = Field(description="`classifier`")
    activation: AnyActivation = Field("none", description="what turns scores into probabilities; `none`: they are")
    background: Background = Field("none", description="which class is none, and has no label")
    top_k: int = Field(5, ge=1, description="at most so many classes are reported, the best")


class Classifier(Decoder[ClassifierOptions, RawClasses]):
    """Reads scores [1, C], or with two axes of length 1 more: [1, C, 1, 1] or [1, 1, 1, C]."""

    OPTIONS = ClassifierOptions
    ROLES = (("scores",),)
    TASKS = ("classification",)
    NEEDS_NMS = False

    def decode(self, tensors: dict[str, FloatArray]) -> RawClasses:
        options, scores = self.options, tensors["scores"]
        count = self.target.classes + (options.background != "none")
        if scores.shape not in ((1, count, 1, 1), (1, 1, 1, count)):
            self.expect("scores", scores, 1, count)
        probabilities = labelled(activated(scores.reshape(count), options.activation), options.background)
        check_probabilities(probabilities)
        chosen = np.flatnonzero(probabilities >= self.target.threshold)
        return RawClasses(probabilities[chosen], chosen.astype(np.int32), options.top_k)
