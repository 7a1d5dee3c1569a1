"""The way of a new model until it is ready: verified, tried elsewhere, loaded, examined, compared on live frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from edge_ai.core.clock import Clock
from edge_ai.core.errors import DeploymentError
from edge_ai.core.types import Frame, Result
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap import golden
from edge_ai.runtime.swap.checks import ShadowCheck, time_in_turns
from edge_ai.runtime.swap.generation import Admitted, Generation, check_successor
from edge_ai.runtime.swap.lane import HungError, Lane
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.retiring import Retiring
from edge_ai.runtime.swap.status import Check, SwapState
from edge_ai.runtime.swap.trial import Trial

T = TypeVar("T")

_ENGINE_LOOK = 1.0  # s between two looks whether an engine has been built


class Tell(Protocol):
    """Told how far it is."""

    def __call__(self, state: SwapState, progress: float, checks: Sequence[Check], message: str) -> None: ...


@dataclass(frozen=True)
class Candidate:
    """A model that is ready.

    Attributes:
        generation: open and warm.
        admitted: what it came as.
        budget: seconds that it may take for a frame, the median.
    """

    generation: Generation
    admitted: Admitted
    budget: float


class Staging:
    """One model on its way; whatever of it hangs holds up no more than its own thread.

    Args:
        path: of what is to be staged.
        params: the node's.
        swap: how it is examined.
        active: what serves meanwhile.
        admit: decides whether it may be loaded.
        retiring: takes what is left over where it is refused.
        tell: told of progress and checks.
        clock: times the stages of the new model.

    Attributes:
        why: it was given up; empty: it was not.
    """

    def __init__(
        self,
        path: Path,
        params: InferenceParams,
        swap: SwapParams,
        active: Generation,
        *,
        admit: Callable[[Path], Admitted],
        retiring: Retiring,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._path, self._params, self._swap, self._active = path, params, swap, active
        self._admit, self._retiring, self._told, self._clock = admit, retiring, tell, clock
        self._lane = Lane("staging")
        self._cancel = threading.Event()
        self.why = ""
        self._checks: list[Check] = []
        self._at = (SwapState.STAGING, 0.0, "")
        self._trial: Trial | None = None
        self._shadow: ShadowCheck | None = None

    def run(self) -> Candidate:
        """Go the whole way; call once.

        Raises:
            EdgeAIError: the model is refused, and why; or `cancel` was called. Nothing of it is left then.
        """
        generation: Generation | None = None
        try:
            self._tell(SwapState.STAGING, 0.0, f"verifying '{self._path}'")
            admitted = self._do("verifying", lambda: self._admit(self._path))
            generation = self._do("reading", lambda: self._read(admitted))
            check_successor(generation.card, self._active.card)
            self._add(Check("admission", True, admitted.title))
            if self._swap.trial:
                self._try(admitted, generation)
            self._load(generation)
            has_golden = self._examine(admitted, generation)
            budget = self._time(generation)
            if self._swap.shadow_frames:
                self._compare(generation, has_golden=has_golden)
        except BaseException:
            self._leave(generation)
            raise
        self._lane.close()
        return Candidate(generation, admitted, budget)

    def cancel(self, why: str) -> None:
        """Give it up; `run` raises soon, whatever is still under way."""
        self.why = why
        self._cancel.set()
        self._lane.give_up()
        if self._trial is not None:
            self._trial.stop()

    def offer(self, result: Result, frame: Frame) -> None:
        """A live frame and what the active model says of it; takes microseconds."""
        if (shadow := self._shadow) is not None:
            shadow.offer(result, frame)

    def _read(self, admitted: Admitted) -> Generation:
        return Generation.of(self._params, self._clock, admitted.card)

    def _try(self, admitted: Admitted, generation: Generation) -> None:
        self._trial = Trial(
            generation.params(self._params),
            admitted.golden,
            timeout=self._swap.trial_timeout,
            memory_limit=self._swap.trial_memory << 20,
            say=lambda words: self._tell(SwapState.STAGING, 0.3, f"in another process: {words}"),
        )
        self._stop_if_cancelled()
        for check in self._trial.run():
            self._add(check)

    def _load(self, generation: Generation) -> None:
        """Open it, and wait for its TensorRT engine where the active model has one."""
        self._tell(SwapState.STAGING, 0.6, f"loading {generation.name}")
        self._do("loading", generation.variants.open)
        engine, active = generation.variants.original.backend, self._active.variants.original.backend
        deadline = time.monotonic() + self._swap.engine_timeout
        while (note := engine.note) and not active.note:
            if time.monotonic() > deadline:
                mend = "build it before (edge-ai compile), or raise swap.engine_timeout"
                raise DeploymentError(f"model {generation.name}", got=note, wanted="its TensorRT engine", mend=mend)
            self._tell(SwapState.STAGING, 0.8, note)
            self._rest(_ENGINE_LOOK)

    def _examine(self, admitted: Admitted, generation: Generation) -> bool:
        """Ask for the golden answers, if there are any; whether there are."""
        folder = admitted.golden
        if folder is None:
            return False
        self._tell(SwapState.CHECKING, 0.0, f"asking {generation.name} for its golden answers")
        self._add(self._do("golden answers", lambda: golden.check(generation.variants.original, folder)))
        return True

    def _time(self, generation: Generation) -> float:
        self._tell(SwapState.CHECKING, 0.5, f"timing {generation.name}")
        active = self._active.variants

        def run(work: Callable[[], float]) -> float:
            seconds = self._do("an inference", work)
            self._rest(seconds)  # the active one has frames to answer
            return seconds

        picture, wanted = active.choices[0].grey_picture(self._clock), self._swap.latency_budget
        check, budget = time_in_turns(generation.variants.original, active.original, picture, wanted, run)
        self._add(check)
        return budget

    def _compare(self, generation: Generation, *, has_golden: bool) -> None:
        self._shadow = shadow = ShadowCheck(generation.variants, self._swap, has_golden=has_golden)
        said, watches = 0.0, f"{generation.name} watches"
        self._tell(SwapState.SHADOW, said, watches)
        while not shadow.wait():
            self._stop_if_cancelled()
            if shadow.progress >= said + 0.05:
                said = shadow.progress
                self._tell(SwapState.SHADOW, said, watches)
        self._add(shadow.check())

    def _do(self, what: str, work: Callable[[], T]) -> T:
        self._stop_if_cancelled()
        try:
            return self._lane.call(what, work, self._swap.trial_timeout)
        except HungError:
            self._stop_if_cancelled()
            raise

    def _add(self, check: Check) -> None:
        self._checks.append(check)
        self._tell(*self._at)
        if not check.passed:
            raise DeploymentError(f"model '{self._path}' is refused", got=str(check))

    def _rest(self, seconds: float) -> None:
        self._cancel.wait(seconds)
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self._cancel.is_set():
            raise DeploymentError(f"staging '{self._path}'", got=self.why)

    def _tell(self, state: SwapState, progress: float, message: str) -> None:
        self._at = (state, progress, message)
        self._told(state, progress, tuple(self._checks), message)

    def _leave(self, generation: Generation | None) -> None:
        """Free what there is, once whatever may still hang in it has ended."""
        self._lane.close()
        steps: list[Callable[[], object]] = [self._lane.join]
        if self._shadow is not None:
            self._shadow.close()
            steps.append(self._shadow.join)
        if generation is not None:
            steps.append(generation.variants.close)
        self._retiring.add(str(self._path), *steps)
