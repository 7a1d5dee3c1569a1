"""Blue-green inside one process: a new model is examined beside the one that serves, takes over, and is watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_ai.core.clock import Clock
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap_params import SwapParams
from edge_ai.runtime.swap_status import SwapStatus
from edge_ai.runtime.switchable import SwitchableModel
from edge_ai.runtime.variant_cards import Choice
from edge_ai.runtime.variants import Variants


class Admitted(Protocol):
    """A model that may be loaded, as `edge_ai.runtime.trusted.AdmittedCard`."""

    card: Path
    golden: Path | None
    config: Path | None
    title: str
    confirm: Callable[[], None]


class HotSwap:
    """The model that serves, and the way of a new one into its place. Thread-safe.

    Args:
        params: the model to begin with, and how to run any.
        swap: how new ones are examined.
        clock: times the stages.
        on_change: told of every change of `status`, on whatever thread it happens; must return quickly.
        admit: decides whether what is at a path may be loaded; default: `edge_ai.runtime.trusted.admission`.
    """

    def __init__(
        self,
        params: InferenceParams,
        swap: SwapParams,
        clock: Clock | None = None,
        *,
        on_change: Callable[[SwapStatus], None] = lambda _: None,
        admit: Callable[[Path], Admitted] | None = None,
    ) -> None:
        raise NotImplementedError

    def open(self) -> None:
        """Load the model confirmed last, if it took the place of ``params.model``, else that. Errors as `Variants`."""

    @property
    def status(self) -> SwapStatus:
        """How things stand."""
        raise NotImplementedError

    @property
    def model(self) -> SwitchableModel[Variants]:
        """What runs frames (a `Detector`); its ``card`` and ``backend`` are those of what answers now."""
        raise NotImplementedError

    @property
    def active(self) -> Variants:
        """The model that answers, with its variants."""
        raise NotImplementedError

    @property
    def original(self) -> Model:
        """The model itself, whatever variant of it answers."""
        raise NotImplementedError

    @property
    def serving(self) -> Choice:
        """What answers now: its ``title`` is for messages."""
        raise NotImplementedError

    @property
    def card(self) -> ModelCard:
        """The card of the model itself; changes with a switch."""
        raise NotImplementedError

    @property
    def card_path(self) -> Path:
        """Where that card lies."""
        raise NotImplementedError

    @property
    def note(self) -> str:
        """What the user should know, see `Variants.note`. Empty: all is well."""
        raise NotImplementedError

    def update(self, params: InferenceParams, swap: SwapParams) -> None:
        """Take over live parameters, see `Variants.update`; returns at once."""

    def free_memory(self) -> int:
        """See `Variants.free_memory`."""
        raise NotImplementedError

    def close(self) -> None:
        """Free everything; a staging under way is given up. Harmless twice."""

    def stage(self, path: Path) -> SwapStatus:
        """Load and examine a model; blocks until it is ready.

        Args:
            path: folder of a signed set, or a model card.

        Raises:
            EdgeAIError: it is refused, with the reason, or another update is under way. Nothing has changed then.
        """
        raise NotImplementedError

    def switch(self) -> SwapStatus:
        """Let the model that is ready answer from the next frame on, on probation; returns at once.

        Raises:
            DeploymentError: none is ready.
        """
        raise NotImplementedError

    def roll_back(self, reason: str) -> SwapStatus:
        """Let the model before answer again.

        Raises:
            DeploymentError: none is on probation.
        """
        raise NotImplementedError

    def discard(self) -> SwapStatus:
        """Give up what is being staged, or is ready.

        Raises:
            DeploymentError: there is nothing to give up.
        """
        raise NotImplementedError

    def result(self, result: Result, frame: Frame | PendingFrame) -> None:
        """Told of every result; takes microseconds. Frames still to be decoded and answers of a server are ignored."""
