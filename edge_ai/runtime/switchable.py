"""A model in the place of which another one can step between two inferences."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from edge_ai.backends.base import Backend
from edge_ai.core.errors import BackendError
from edge_ai.core.types import Frame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.detector import Detector


class Leasable(Detector, Protocol):
    """What can serve in the place of another: a `Model`, or `Variants` of one."""

    @property
    def card(self) -> ModelCard:
        """Of what answers."""

    @property
    def backend(self) -> Backend:
        """Its engine."""

    def close(self) -> None:
        """Free it; harmless when closed already."""


M = TypeVar("M", bound=Leasable)


class SwitchableModel(Generic[M]):
    """Runs frames as `Model` does, on whichever model serves when their turn comes. Thread-safe.

    Each inference holds a lease on the model it begins with, from preprocessing to the last answer. So a switch neither
    waits for an inference nor disturbs one: those under way end on the old model, all later ones run on the new one,
    and each frame is answered by exactly one of them, which its result names. `retire` waits for the last lease.

    Whoever switches loads, warms up and judges the new model first; this only puts it in place.

    Args:
        model: open; serves first.

    Example:
        >>> switchable = SwitchableModel(blue)                           # doctest: +SKIP
        >>> pipeline = Pipeline(switchable, on_result)                   # doctest: +SKIP
        >>> switchable.retire(switchable.switch(green))                  # doctest: +SKIP
    """

    def __init__(self, model: M) -> None:
        self._serving = model
        self._leases: Counter[M] = Counter()
        self._ended = threading.Condition()

    @property
    def serving(self) -> M:
        """The model on which the next inference runs."""
        return self._serving

    @property
    def card(self) -> ModelCard:
        """The card of the model that serves."""
        return self._serving.card

    @property
    def backend(self) -> Backend:
        """The engine of the model that serves."""
        return self._serving.backend

    @property
    def single(self) -> str:
        """As of `Model`, of the one that serves; one that takes single images only is given a batch one by one."""
        return self._serving.single

    def request(self, size: int = 1) -> SwitchableRequest:
        """Buffers for a worker thread, for up to so many images in one inference, whatever model serves."""
        return SwitchableRequest(size)

    def detect(self, frames: Sequence[Frame], request: SwitchableRequest) -> list[Result]:
        """As `Model.detect`, all on one model."""
        with self.lease() as model:
            buffers = request.of(model)
            parts = range(0, len(frames), buffers.size)
            return [result for i in parts for result in model.detect(frames[i : i + buffers.size], buffers)]

    def __call__(self, frame: Frame) -> Result:
        """One frame from image to answer; errors as for `detect`."""
        return self.detect([frame], self.request())[0]

    @contextmanager
    def lease(self) -> Iterator[M]:
        """The model that serves now; `retire` does not close it before this ends."""
        with self._ended:
            model = self._serving
            self._leases[model] += 1
        try:
            yield model
        finally:
            with self._ended:
                self._leases[model] -= 1
                if not self._leases[model]:
                    del self._leases[model]
                    self._ended.notify_all()

    def switch(self, model: M) -> M:
        """Let an open model serve from the next inference on; returns at once, with the one that served."""
        with self._ended:
            before, self._serving = self._serving, model
        return before

    def retire(self, model: M, timeout: float | None = None) -> bool:
        """Close a model that serves no more, once the inferences it has begun have ended.

        Args:
            model: to be closed.
            timeout: seconds to wait for them; None: for ever.

        Returns:
            False, with the model open, if they have not ended by then.

        Raises:
            BackendError: it serves.
        """
        with self._ended:
            if model is self._serving:
                raise BackendError(f"model {model.card.name}", got="it serves", mend="switch to another one first")
            ended = self._ended.wait_for(lambda: not self._leases[model], timeout)
        if ended:
            model.close()
        return ended


class SwitchableRequest:
    """The buffers of one worker thread, for each model it has met. Those of a model that is gone go with it.

    Args:
        size: images in one inference at most.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._buffers: WeakKeyDictionary[Leasable, Any] = WeakKeyDictionary()

    def of(self, model: Leasable) -> Any:
        """Buffers for a model: for one image where it takes no more."""
        buffers = self._buffers.get(model)
        if buffers is None:
            size = 1 if self.size > 1 and model.single else self.size
            buffers = self._buffers[model] = model.request(size)
        return buffers
