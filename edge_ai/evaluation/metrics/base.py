"""What a metric must do: judge each picture once, and add up any choice of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from edge_ai.core.types import Result
from edge_ai.evaluation.truth import Array, Truth


class Records(ABC):
    """What one side's answers were worth, kept by picture so that pictures can be drawn again and again.

    Attributes:
        labelled: (classes,) int: objects of each class; pictures in which it is, where there are no objects.
    """

    labelled: Array

    @abstractmethod
    def rounds(self, weights: Array) -> Array:
        """The metric of choices of pictures.

        Args:
            weights: (rounds, pictures) float64, how often each picture is in; the order is the truth's.

        Returns:
            (rounds,) float64, NaN where the chosen pictures hold nothing to be found.
        """

    @abstractmethod
    def classes(self) -> Array:
        """(classes,) float64, the metric of each class; NaN where nothing is labelled."""

    def extra(self) -> Mapping[str, float]:
        """Other figures that readers expect beside the metric, by name."""
        return {}

    def value(self) -> float:
        """The metric of all pictures, each once."""
        return float(self.rounds(np.ones((1, self.pictures)))[0])

    @property
    @abstractmethod
    def pictures(self) -> int:
        """How many pictures there are."""


class Metric(Protocol):
    """How answers are judged: a value from 0 to 1, the higher the better."""

    name: str

    def records(self, truth: Truth, answers: Mapping[int, Result]) -> Records:
        """Judge every picture.

        Args:
            truth: what is right.
            answers: at least one to each of its pictures, by picture id.

        Raises:
            LabelError: the answers are of another kind.
            EdgeAIError: a library is missing.
        """
