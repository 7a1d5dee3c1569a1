"""A trial of variants against their original: the same pictures, the same labels, the same minute of the machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ai.core.errors import BackendError, InferenceError, ModelError, ParameterError, RefusedError
from edge_ai.core.types import Frame, Result
from edge_ai.evaluation.agreement import truth_from
from edge_ai.evaluation.budget import LEAST_SCORES
from edge_ai.evaluation.compare import Comparison, compare
from edge_ai.evaluation.labels import load_coco
from edge_ai.evaluation.truth import Truth
from edge_ai.optimization.judging.budget import Budget, Decision, judge
from edge_ai.optimization.judging.measure import ROUNDS, Measured, answers, measure, open_model
from edge_ai.optimization.judging.pictures import Pictures, Shots
from edge_ai.optimization.progress import Feeds, Made, Progress, silent
from edge_ai.processing.card import ModelCard
from edge_ai.processing.resize import Preprocessor


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
        limits = (
            ("pictures", "--pictures", 1),
            ("calibration", "--calibration-pictures", 1),
            ("rounds", "--rounds", 3),
        )
        for name, option, least in limits:
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
        numbers = self._source.numbers(labelled) if labelled is not None else self._unlabelled()
        self.shots = Shots(self._source, set(numbers.values()), progress)
        there = frozenset(self.shots.numbers)
        self._ids = {number: id_ for id_, number in numbers.items() if number in there}
        self._calibration: Shots | None = None
        with self._open(job.card) as model:
            said = answers(model, self.shots, self._ids, progress, "the original answers")
        self.answers: Mapping[int, Result] = said
        if labelled is not None:
            self.truth: Truth = labelled.only(tuple(self._ids.values()))
        else:
            self.truth = truth_from(said, job.card.task, score_threshold=job.card.score_threshold)

    @property
    def shared(self) -> bool:
        """Whether calibration had to use pictures that variants are judged on."""
        return not self._ids.keys().isdisjoint(self._calibration.numbers if self._calibration else ())

    @property
    def calibrated(self) -> int:
        """Number of pictures that `feeds` has used."""
        return len(self._calibration or ())

    def feeds(self) -> Feeds:
        """Model inputs of pictures to calibrate on, which variants are not judged on if there are enough others."""
        if self._calibration is None:
            numbers = self._source.spread(self.job.calibration, without=tuple(self._ids), progress=self._progress)
            self._calibration = Shots(self._source, numbers, self._progress)
        shots = self._calibration
        return lambda: _inputs(self.job.card, shots)

    def compare(self, card: ModelCard, what: str = "the variant answers") -> Comparison:
        """How accurate a variant is, and the original beside it.

        Raises:
            RefusedError: it does not run, or answers what is no answer.
        """
        try:
            with self._open(card) as model:
                found = answers(model, self.shots, self._ids, self._progress, what)
        except (BackendError, InferenceError, ModelError) as error:
            raise RefusedError(f"variant '{card.model_path.name}' does not run", got=str(error)) from None
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
            times = measure(models, next(iter(self.shots)), rounds=self.job.rounds, progress=self._progress)
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

    def _unlabelled(self) -> dict[int, int]:
        """Pictures to judge on, such that some are left to calibrate on."""
        count = self._source.count(self._progress)
        most = min(self.job.pictures, count - min(self.job.calibration, count // 3))
        return {number: number for number in self._source.spread(most)}

    @contextlib.contextmanager
    def _open(self, card: ModelCard) -> Iterator[Any]:
        model = open_model(card, score_threshold=LEAST_SCORES.get(card.task, 0.0))
        try:
            yield model
        finally:
            model.close()


def _inputs(card: ModelCard, frames: Iterable[Frame]) -> Iterator[Mapping[str, NDArray[Any]]]:
    preprocessor = Preprocessor(card.input)
    for frame in frames:
        tensor = np.zeros(card.input.shape, card.input.dtype)
        preprocessor.prepare(frame.image, frame.encoding, tensor)
        yield {card.input.name: tensor}
