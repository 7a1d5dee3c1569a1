"""A model with its variants as it serves or is to serve, and what is particular about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edge_ai.core.clock import Clock
from edge_ai.core.errors import CardError, ParameterError
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.variant_cards import check_alike
from edge_ai.runtime.variants import Variants

log = logging.getLogger(__name__)


class Admitted(Protocol):
    """A model that may be loaded, see `edge_ai.runtime.trusted.AdmittedCard`."""

    @property
    def card(self) -> Path:
        """Path of its card."""

    @property
    def golden(self) -> Path | None:
        """Folder of golden answers, if there is one."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def confirm(self) -> Callable[[], None]:
        """To be called once it has proved itself."""


@dataclass(frozen=True)
class Generation:
    """A model and its variants.

    Attributes:
        variants: of it, open or not.
        own: parameters that it has in place of the node's.
    """

    variants: Variants
    own: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, params: InferenceParams, clock: Clock, card: Path) -> Generation:
        """A model that comes in place of the node's own, not yet open. It has no variants: those are of another model.

        Raises:
            EdgeAIError: as of `Variants`.
        """
        own = {"model": str(card), "variants": [""]}
        return cls(Variants(params.changed(**own, variant=""), clock), own)

    @property
    def card(self) -> ModelCard:
        """The card of the model itself."""
        return self.variants.choices[0].card

    @property
    def card_path(self) -> Path:
        """Where it lies."""
        return self.variants.choices[0].path

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{self.card.name} {self.card.version}"

    def params(self, base: InferenceParams) -> InferenceParams:
        """The node's parameters with its own; a variant that it does not have is itself."""
        params = base.changed(**self.own)
        if self.own:
            try:
                self.variants.choices.find(params.variant)
            except ParameterError:
                return params.changed(variant="")
        return params

    def update(self, base: InferenceParams) -> None:
        """Take over live parameters of the node; errors as for `Variants.update`."""
        self.variants.update(self.params(base))


def check_successor(card: ModelCard, before: ModelCard) -> None:
    """That a model may come in the place of another: who reads the answers understands both, and tells them apart.

    Raises:
        CardError: it sees other things, or is another model of the same name and version.
    """
    check_alike(card, before, f"model '{card.name}' in place of '{before.name} {before.version}'")
    if (card.name, card.version) == (before.name, before.version) and card.sha256 != before.sha256:
        got, mend = f"version {card.version}, as of the model that serves", "give its card another version"
        raise CardError(f"model '{card.name}'", got=got, wanted="one that results can be told apart by", mend=mend)
