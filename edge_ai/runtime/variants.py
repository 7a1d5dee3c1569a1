"""A model and lighter ones of the same task, one of which answers: loads them and switches between two frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from edge_ai.backends.base import Backend
from edge_ai.core.clock import Clock, SystemClock
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.memory import free_memory, resident_bytes
from edge_ai.core.types import Frame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.switchable import SwitchableModel, SwitchableRequest
from edge_ai.runtime.variant_cards import Choice, Choices

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # s for the last inference of a variant that is to go
_LOOK = 0.2  # s between two looks whether a variant's engine has been built


class Variants:
    """The model of ``params.model`` and those of ``params.variants``; the one that ``params.variant`` says answers.

    The model itself is loaded by `open` and stays. A variant is loaded when first asked for, on a thread of its own
    while another one goes on answering, and stays until `free_memory` or `close`: small boards have little memory. It
    has to answer one grey picture before it answers frames. If it cannot, `note` says why, the present one goes on, and
    the next `update` that asks for it tries again. Nor does a variant answer whose TensorRT engine is still to be built
    where the model itself has its own: a stand-in on the processor would be slower than what it is to relieve.

    Args:
        params: the models, and how to run them.
        clock: times the stages.

    Raises:
        CardError: a card is missing or wrong, or a variant sees other things than the model itself.
        ModelError: the file of a variant is missing or not the one its card describes.
        ParameterError: ``params.variant`` names none of them.

    Example:
        >>> variants = Variants(InferenceParams(variants=["light.yaml"]))        # doctest: +SKIP
        >>> variants.open()                                                      # doctest: +SKIP
        >>> pipeline = Pipeline(variants.model, on_result)                       # doctest: +SKIP
        >>> variants.update(params.changed(variant="light"))                     # doctest: +SKIP
    """

    def __init__(self, params: InferenceParams, clock: Clock | None = None) -> None:
        self._params, self._clock = params, clock or SystemClock()
        self.choices = Choices(params)
        self._first = self.choices.find(params.variant)
        self._changed = threading.Condition()
        self._loaded: dict[int, Model] = {}
        self._asked = self._serving = 0
        self._loader: threading.Thread | None = None
        self._trouble, self._failed, self._closing = "", False, False
        self._model: SwitchableModel[Model] | None = None

    @property
    def model(self) -> SwitchableModel[Model]:
        """What runs frames; only after `open`."""
        assert self._model is not None, "call open() first"
        return self._model

    @property
    def original(self) -> Model:
        """The model itself, whatever answers; only after `open`."""
        return self._loaded[0]

    @property
    def card(self) -> ModelCard:
        """The card of what answers."""
        return self.model.card

    @property
    def backend(self) -> Backend:
        """The engine of what answers."""
        return self.model.backend

    @property
    def single(self) -> str:
        """As of `Model`, of the model itself; a variant that takes single images only is given a batch one by one."""
        return self.original.single

    def request(self, size: int = 1) -> SwitchableRequest:
        """Buffers of a worker thread, see `SwitchableModel.request`."""
        return self.model.request(size)

    def detect(self, frames: Sequence[Frame], request: SwitchableRequest) -> list[Result]:
        """As `Model.detect`, on the one that answers."""
        return self.model.detect(frames, request)

    @property
    def serving(self) -> Choice:
        """What answers now."""
        return self.choices[self._serving]

    @property
    def note(self) -> str:
        """What the user should know: why what was asked for does not answer, or of the engine. Empty: all is well."""
        return self._trouble or (self._model.backend.note if self._model is not None else "")

    def open(self) -> None:
        """Load the model itself and whatever is to be there from the start.

        Raises:
            EdgeAIError: as `Model.load`, of any of them; nothing is open then.
        """
        everyone = range(len(self.choices)) if self._from_the_start else sorted({0, self._first})
        try:
            for number in everyone:
                self._loaded[number] = self._load(number)
        except BaseException:
            self.close()
            raise
        self._model, self._closing = SwitchableModel(self._loaded[0]), False
        self._ask(self._first)

    def update(self, params: InferenceParams) -> None:
        """Take over the live parameters: what is reported, and who answers. Returns at once.

        Raises:
            ParameterError: a class is not among the model's, or no variant is called so; nothing has changed.
        """
        asked = self.choices.find(params.variant)
        with self._changed:
            if _reported(params) != _reported(self._params):
                for model in self._loaded.values():  # all know the same classes: it is the first that refuses
                    model.configure(**_reported(params))
                self._params = self._params.changed(**_reported(params))
        self._ask(asked)

    def wait(self, timeout: float) -> bool:
        """Wait until what was asked for answers, or cannot; whether it answers. False after so many seconds, too."""
        with self._changed:
            self._changed.wait_for(lambda: self._loader is None, timeout)
            return self._serving == self._asked

    def free_memory(self) -> int:
        """Give back what is held without need, see `edge_ai.core.memory.free_memory`; returns bytes.

        Variants that do not answer go, too, unless they are to be there from the start: another one is loaded again
        when it is asked for. Waits for inferences they have begun, but not for ever.
        """
        before = resident_bytes()
        with self._changed:
            needed = set(self._loaded) if self._from_the_start else {0, self._asked, self._serving}
            idle = {number: self._loaded.pop(number) for number in list(self._loaded) if number not in needed}
        for number, model in idle.items():
            if not self.model.retire(model, _PATIENCE):
                log.warning("%s stays: an inference of it does not end", self.choices[number].title)
                with self._changed:
                    self._loaded.setdefault(number, model)
        free_memory()
        return max(0, before - resident_bytes())

    def close(self) -> None:
        """Free all of them, after a loading under way; harmless twice. No inference may begin any more."""
        with self._changed:
            self._closing, loader = True, self._loader
            self._changed.notify_all()
        if loader is not None:
            loader.join()
        for model in self._loaded.values():
            model.close()
        self._loaded, self._asked, self._serving = {}, 0, 0
        self._trouble, self._failed = "", False

    @property
    def _from_the_start(self) -> bool:
        return self._params.variant_loading == "start"

    def _ask(self, number: int) -> None:
        with self._changed:
            self._asked, self._trouble, self._failed = number, "", False
            if number in self._loaded and self._fit(self._loaded[number]):
                self._switch(number)
            elif self._loader is None and number != self._serving:
                self._loader = threading.Thread(target=self._bring, name="variants", daemon=True)
                self._loader.start()

    def _switch(self, number: int) -> None:
        self._trouble = ""
        if number != self._serving:
            self.model.switch(self._loaded[number])
            self._serving = number
            log.info("%s answers from now on", self.serving.title)
        self._changed.notify_all()

    def _fit(self, model: Model) -> bool:
        """Whether its engine is what was asked for, or no worse off than that of the model itself."""
        return not model.backend.note or bool(self._loaded[0].backend.note) or model is self._loaded[0]

    def _bring(self) -> None:
        """Load what is asked for and let it answer, until it does, or cannot, or all ends."""
        while (number := self._next()) is not None:
            try:
                self._keep(number, self._load(number))
            except EdgeAIError as error:
                self._refuse(number, str(error))
            except Exception as error:
                log.exception("loading a variant failed")
                self._refuse(number, f"{type(error).__name__}: {error}")

    def _next(self) -> int | None:
        """What is to be loaded now; None when there is nothing left to do."""
        with self._changed:
            while not (self._closing or self._failed or self._asked == self._serving):
                model = self._loaded.get(self._asked)
                if model is None:
                    return self._asked
                if self._fit(model):
                    self._switch(self._asked)
                    break
                self._trouble = f"{self.choices[self._asked].title} waits for its engine: {model.backend.note}"
                self._changed.wait(_LOOK)
            self._loader = None
            self._changed.notify_all()
        return None

    def _keep(self, number: int, model: Model) -> None:
        with self._changed:
            model.configure(**_reported(self._params))  # they may have changed meanwhile
            self._loaded[number] = model

    def _refuse(self, number: int, why: str) -> None:
        with self._changed:
            if number == self._asked:
                self._failed = True
                self._trouble = f"{self.choices[number].title} cannot answer, {self.serving.title} goes on: {why}"
                log.error("%s", self._trouble)

    def _load(self, number: int) -> Model:
        choice, params = self.choices[number], self._params
        model = Model.load(params.changed(model=str(choice.path)), self._clock)
        try:
            if number:
                model(choice.grey_picture(self._clock))
        except BaseException:
            model.close()
            raise
        return model


def _reported(params: InferenceParams) -> dict[str, Any]:
    """What `Model.configure` takes."""
    return {"score_threshold": params.score_threshold, "classes": params.classes}
