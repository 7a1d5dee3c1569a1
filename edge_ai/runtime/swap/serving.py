"""The model that serves, and for the time of a probation the one before, which stands by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_ai.core.clock import Clock
from edge_ai.core.types import Frame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.generation import Admitted, Generation
from edge_ai.runtime.swap.guard import Guarded
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.probation import Probation
from edge_ai.runtime.swap.retiring import Retiring
from edge_ai.runtime.swap.shadow import Shadow
from edge_ai.runtime.swap.staging import Candidate
from edge_ai.runtime.switchable import Leasable, SwitchableModel
from edge_ai.runtime.variant_cards import Choice
from edge_ai.runtime.variants import Variants


@dataclass(frozen=True)
class Watched:
    """A model on probation.

    Attributes:
        new: it; answers.
        before: stands by.
        admitted: what the new one came as.
        probation: what is seen of it.
        guarded: serves: the new one, and behind it the one before.
        shadow: the one before, which watches the new one.
        names: names and versions by which results of the new one are known.
    """

    new: Generation
    before: Generation
    admitted: Admitted
    probation: Probation
    guarded: Guarded
    shadow: Shadow
    names: frozenset[tuple[str, str]]


class Serving:
    """Exchanges models between two frames. Who calls it takes care that changes come one after the other.

    Args:
        generation: open; serves first.
        retiring: takes what serves no more.
    """

    def __init__(self, generation: Generation, retiring: Retiring) -> None:
        self.active, self._retiring = generation, retiring
        self.model: SwitchableModel[Leasable] = SwitchableModel(generation.variants)
        self.watched: Watched | None = None

    def put(self, candidate: Candidate, swap: SwapParams, clock: Clock) -> Generation:
        """Let a model answer from the next frame on, on probation; returns the one before."""
        new, before = candidate.generation, self.active
        probation = Probation(swap, candidate.budget, clock)
        guarded = Guarded(new.variants, before.variants, probation)
        shadow = Shadow(before.variants, swap.shadow_share, probation.compared)
        names = frozenset((choice.card.name, choice.card.version) for choice in new.variants.choices)
        self.model.switch(guarded)
        self.active = new
        self.watched = Watched(new, before, candidate.admitted, probation, guarded, shadow, names)
        return before

    def take_back(self, watched: Watched) -> None:
        """Let the model before answer again, and free the new one."""
        self.model.switch(watched.before.variants)
        self.active = watched.before
        self._end(watched, watched.new.variants.close)

    def keep(self, watched: Watched) -> None:
        """Let the new model answer alone, and free the one before."""
        self.model.switch(watched.new.variants)
        self._end(watched, lambda: self.model.retire(watched.before.variants))

    def offer(self, result: Result, frame: Frame) -> None:
        """A frame that was answered; if the new model did, the one before may look at it, too."""
        watched = self.watched
        if watched is not None and (result.model_name, result.model_version) in watched.names:
            watched.shadow.offer(result, frame)

    def update(self, params: InferenceParams) -> None:
        """Take over live parameters; errors as for `Variants.update`, nothing has changed then."""
        if self.watched is not None:
            self.watched.before.update(params)
        self.active.update(params)

    def close(self) -> None:
        """Free all in the background; no inference may begin any more."""
        if self.watched is None:
            self._retiring.add(self.active.name, self.active.variants.close)
        else:
            self.model.switch(self.active.variants)
            self._end(self.watched, self.watched.before.variants.close, self.active.variants.close)

    def _end(self, watched: Watched, *free: Callable[[], object]) -> None:
        """End a probation in the background, then free what serves no more; not while an inference of it hangs."""
        self.watched = None
        watched.shadow.close()
        steps = (lambda: self.model.retire(watched.guarded), watched.guarded.join, watched.shadow.join, *free)
        self._retiring.add(watched.admitted.title, *steps)


class Front:
    """What serves, for those who only want to know that."""

    def __init__(self) -> None:
        self._serving: Serving | None = None

    @property
    def model(self) -> SwitchableModel[Leasable]:
        """What runs frames (a `Detector`); its ``card`` and ``backend`` are those of what answers now."""
        return self._now.model

    @property
    def active(self) -> Variants:
        """The model that answers, with its variants."""
        return self._now.active.variants

    @property
    def original(self) -> Model:
        """The model itself, whatever variant of it answers."""
        return self._now.active.variants.original

    @property
    def serving(self) -> Choice:
        """What answers now: its ``title`` is for messages."""
        return self._now.active.variants.serving

    @property
    def card(self) -> ModelCard:
        """The card of the model itself; changes with a switch."""
        return self._now.active.card

    @property
    def card_path(self) -> Path:
        """Where that card lies."""
        return self._now.active.card_path

    @property
    def note(self) -> str:
        """What the user should know, see `Variants.note`. Empty: all is well."""
        return self._now.active.variants.note

    def free_memory(self) -> int:
        """See `Variants.free_memory`."""
        return self._now.active.variants.free_memory()

    @property
    def _now(self) -> Serving:
        assert self._serving is not None, "call open() first"
        return self._serving
