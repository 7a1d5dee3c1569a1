"""A trial of variants against their original: the same pictures, the same labels, the same minute of the machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import ParameterError
from edge_ai.core.types import Frame, Result
from edge_ai.evaluation.agreement import truth_from
from edge_ai.evaluation.compare import Comparison, compare
from edge_ai.evaluation.labels import load_coco
from edge_ai.evaluation.truth import Truth
from edge_ai.optimization.judging.budget import Budget, Decision, judge
from edge_ai.optimization.judging.measure import ROUNDS, Measured, answers, measure, open_model
from edge_ai.optimization.judging.pictures import Pictures, held
from edge_ai.optimization.progress import Feeds, Made, Progress, silent
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor

LOW_SCORES = {"detection": 0.05, "keypoints": 0.05, "classification": 1e-6}
"""From what score on answers count, by task; 0: from the card's. AP is the area under a curve over all detections, not
over the good ones, and the best class of a picture is the best however low."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a trial is about.

    Attributes:
        card: the original model.
        data: a folder of pictures, a video or a bag.
        labels: COCO file of what is on the pictures; None: agreement with the original counts.
        budget: what may be lost.
        pictures: judged on at most so many, without labels; all labelled ones otherwise.
        calibration: calibrated on so many, none of them judged on where others are left.
        rounds: turns in which variants are timed.
    """

    card: ModelCard
    data: str
    labels: Path | None = None
    budget: Budget = field(default_factory=Budget)
    pictures: int = 100
    calibration: int = 32
    rounds: int = ROUNDS

    def __post_init__(self) -> None:
        for name, option, least in (("pictures", "--pictures", 1), ("calibration", "--calibration-pictures", 1)):
            if getattr(self, name) < least:
                raise ParameterError(option, got=getattr(self, name), wanted=f"{least} or more")


@dataclass(frozen=True, slots=True)
class Variant:
    """A model made from the original.

    Attributes:
        name: "static INT8", ...
        precision: "int8", "fp16", "fp32".
        card: its card.
        made: how it was made; None for one that was given.
    """

    name: str
    precision: str
    card: ModelCard
    made: Made | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A variant, how accurate it is, how it ran, and whether it may be shipped."""

    variant: Variant
    comparison: Comparison
    measured: Measured
    decision: Decision


class Trial:
    """Reads the data once, lets the original answer, and then judges one variant after the other.

    Args:
        job: what it is about.
        progress: told of every step.

    Raises:
        EdgeAIError: the model cannot run, the data cannot be read, or the labels do not belong to them.
    """

    def __init__(self, job: Job, progress: Progress = silent) -> None:
        self.job, self._progress = job, progress
        job.card.check_file()
        self._source = Pictures(job.data)
        labelled = load_coco(job.labels, job.card.labels, task=job.card.task) if job.labels else None
        if labelled is not None:
            numbers = self._source.numbers({picture.id: picture.file_name for picture in labelled.pictures})
        else:
            numbers = {number: number for number in self._source.spread(job.pictures, progress=progress)}
        self._frames = held(self._source, sorted(set(numbers.values())), progress)
        there = {frame.header.index for frame in self._frames}
        self._ids = {number: id_ for id_, number in numbers.items() if number in there}
        self._calibration: list[Frame] = []
        with self._open(job.card) as model:
            self.answers: Mapping[int, Result] = answers(
                model, self._frames, self._ids, progress, "the original answers"
            )
        if labelled is not None:
            self.truth: Truth = labelled.only(tuple(self._ids.values()))
        else:
            self.truth = truth_from(self.answers, job.card.task, score_threshold=job.card.score_threshold)

    @property
    def frames(self) -> Sequence[Frame]:
        """The pictures that variants are judged on."""
        return self._frames

    @property
    def shared(self) -> bool:
        """Whether calibration had to use pictures that variants are judged on."""
        return any(frame.header.index in self._ids for frame in self._calibration)

    @property
    def calibrated(self) -> int:
        """Number of pictures that `feeds` has used."""
        return len(self._calibration)

    def feeds(self, most: int = 0) -> Feeds:
        """Model inputs of pictures to calibrate on, which variants are not judged on if there are others.

        Args:
            most: at most so many; 0: as many as the job says.
        """
        if not self._calibration:
            numbers = self._source.spread(self.job.calibration, without=tuple(self._ids), progress=self._progress)
            self._calibration = held(self._source, numbers, self._progress)
        chosen = self._calibration
        if 0 < most < len(chosen):
            chosen = [chosen[(2 * i + 1) * len(chosen) // (2 * most)] for i in range(most)]
        return lambda: _inputs(self.job.card, chosen)

    def compare(self, card: ModelCard, what: str = "the variant answers") -> Comparison:
        """How accurate a variant is, and the original beside it."""
        with self._open(card) as model:
            found = answers(model, self._frames, self._ids, self._progress, what)
        return compare(self.truth, self.answers, found)

    def judge(self, variants: Sequence[Variant], found: Mapping[str, Comparison] | None = None) -> list[Judged]:
        """Measure some variants beside the original and hold each against the budget.

        Args:
            variants: of different names.
            found: accuracies already known, by name.

        Returns:
            One for each, in their order, and before them the original, held against itself.
        """
        known = dict(found or {})
        for one in variants:
            if one.name not in known:
                known[one.name] = self.compare(one.card, f"{one.name} answers")
        original = Variant("original", "fp32", self.job.card)
        everyone = [original, *variants]
        with contextlib.ExitStack() as stack:
            models = {one.name: stack.enter_context(self._open(one.card)) for one in everyone}
            times = measure(models, self._frames[0], rounds=self.job.rounds, progress=self._progress)
        known[original.name] = compare(self.truth, self.answers, self.answers)
        reference = times[original.name]
        return [
            Judged(
                one,
                known[one.name],
                times[one.name],
                judge(self.job.budget, known[one.name], reference, times[one.name]),
            )
            for one in everyone
        ]

    @contextlib.contextmanager
    def _open(self, card: ModelCard) -> Iterator[Any]:
        model = open_model(card, score_threshold=LOW_SCORES.get(card.task, 0.0))
        try:
            yield model
        finally:
            model.close()


def _inputs(card: ModelCard, frames: Sequence[Frame]) -> Iterator[Mapping[str, NDArray[Any]]]:
    preprocessor = Preprocessor(card.input)
    for frame in frames:
        tensor = np.zeros(card.input.shape, card.input.dtype)
        preprocessor.prepare(frame.image, frame.encoding, tensor)
        yield {card.input.name: tensor}
