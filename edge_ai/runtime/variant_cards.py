"""Which models may answer in the place of one another, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_ai.core.clock import Clock
from edge_ai.core.errors import CardError, ParameterError
from edge_ai.core.types import Frame, FrameHeader
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.resources import shipped_card
from edge_ai.runtime.trusted import trusted_card


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that may answer.

    Attributes:
        path: of its card.
        card: what it says.
    """

    path: Path
    card: ModelCard

    @property
    def title(self) -> str:
        """What it is called in messages: variants made of one model share its name, but not its card's file."""
        return f"{self.path.stem} ({self.card.name} {self.card.version})"

    def grey_picture(self, clock: Clock) -> Frame:
        """A frame of now that any model of this card has to answer."""
        width, height = self.card.input.size
        header = FrameHeader(clock.stamp_ns(), clock.steady_ns(), "", 0, width, height)
        return Frame(header, np.full((height, width, 3), self.card.input.pad_value, np.uint8))


class Choices:
    """The model of ``params.model``, number 0, and those of ``params.variants``, counted from 1.

    Args:
        params: names the cards; they are read and their files are checked.

    Raises:
        ArtifactError: keys are configured, and a model is not of a signed set that they let in.
        CardError: a card is missing or wrong, or a variant sees other things than the model itself.
        ModelError: the file of a variant is missing or not the one its card describes.
    """

    def __init__(self, params: InferenceParams) -> None:
        given = [Path(params.model) if params.model else shipped_card(), *map(Path, filter(None, params.variants))]
        paths = [trusted_card(path, params) for path in given]
        self._all = [Choice(path, ModelCard.load(path)) for path in paths]
        for choice in self._all[1:]:
            original = self._all[0].card
            what = f"variant '{choice.path}' of model '{original.name}'"
            check_alike(choice.card, original, what, "take it out of 'variants'")
            choice.card.check_file()

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, number: int) -> Choice:
        return self._all[number]

    def __iter__(self) -> Iterator[Choice]:
        return iter(self._all)

    def find(self, variant: str) -> int:
        """The number of a choice.

        Args:
            variant: as of the parameter: empty, a number, the name of a card's file without .yaml, or a card's name.

        Raises:
            ParameterError: there is none of that name or number, or several.
        """
        if not variant:
            return 0
        if variant.isdecimal() and int(variant) < len(self._all):
            return int(variant)
        stems = [i for i, choice in enumerate(self._all) if choice.path.stem == variant]
        found = stems or [i for i, choice in enumerate(self._all) if choice.card.name == variant]
        if len(found) == 1:
            return found[0]
        got = f"'{variant}', as {len(found)} of them are called" if found else f"'{variant}'"
        known = ", ".join(f"{i}: {choice.title}" for i, choice in enumerate(self._all))
        mend = "give its number, or the name of its card's file without .yaml"
        if len(self._all) == 1:
            mend = "name the cards of lighter models in 'variants' first"
        raise ParameterError("parameter 'variant'", got=got, wanted=f"one of {known}", mend=mend)


def check_alike(card: ModelCard, original: ModelCard, what: str, mend: str = "") -> None:
    """That whoever reads the answers of one understands those of the other.

    Raises:
        CardError: tasks, labels or keypoints differ; begins with ``what`` and ends with ``mend``.
    """
    if card.task != original.task:
        raise CardError(what, got=f"'task' {card.task}", wanted=original.task, mend=mend)
    for key in ("labels", "keypoints"):
        its, wanted = getattr(card, key), getattr(original, key)
        if its != wanted:
            got, same = f"other {key}: {_difference(its, wanted)}", f"the same {key} in the same order"
            raise CardError(what, got=got, wanted=same, mend=mend)


def _difference(its: Sequence[str], wanted: Sequence[str]) -> str:
    if len(its) != len(wanted):
        return f"{len(its)} in place of {len(wanted)}"
    number = next(i for i, (one, other) in enumerate(zip(its, wanted, strict=True)) if one != other)
    return f"number {number} is {its[number]!r} in place of {wanted[number]!r}"
