"""Blue-green inside one process: a new model is examined beside the one that serves, takes over, and is watched."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edge_ai.core.clock import NS, Clock, SystemClock
from edge_ai.core.errors import DeploymentError, EdgeAIError
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.generation import Admitted, Generation
from edge_ai.runtime.swap.kept import KeptModel
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.retiring import Retiring
from edge_ai.runtime.swap.serving import Front, Serving
from edge_ai.runtime.swap.staging import Candidate, Staging
from edge_ai.runtime.swap.status import Check, StatusBoard, SwapState, SwapStatus
from edge_ai.runtime.swap.verdict import Verdict
from edge_ai.runtime.trusted import admission

log = logging.getLogger(__name__)

_LOOK = 0.1  # s between two looks at a model on probation
_PATIENCE = 5.0  # s for inferences of a model that is to go


class HotSwap(Front):
    """The model that serves, and the way of a new one into its place. Thread-safe.

    `stage` examines a new model while the active one goes on: who may bring it (`admit`), a trial in another process,
    its golden answers, its latency, and its agreement with the active model on live frames. `switch` lets it answer
    from the next frame on. During its probation the model before answers what the new one cannot, and takes its place
    again by itself if the new one errs, is slow, or drifts; else it is freed, and the new one is what a restart begins
    with.

    Args:
        params: the model to begin with, and how to run any.
        swap: how new ones are examined.
        clock: times the stages.
        on_change: told of every change of `status`, on whatever thread it happens; must return quickly and wait for
            nobody.
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
        super().__init__()
        self._params, self._swap, self._clock, self._admit = params, swap, clock or SystemClock(), admit
        self._kept = KeptModel(swap.state_folder)
        self._board, self._retiring = StatusBoard(on_change), Retiring()
        self._busy = threading.Lock()
        self._changed = threading.Condition(threading.RLock())
        self._staging: Staging | None = None
        self._candidate: Candidate | None = None
        self._ready_until_ns = 0
        self._minder: threading.Thread | None = None
        self._closing = False

    def open(self) -> None:
        """Load the model confirmed last, if it took the place of ``params.model``; else that.

        Raises:
            EdgeAIError: as of `Variants`, by its constructor and `open`.
        """
        self._serving = Serving(self._kept.open(self._params, self._clock), self._retiring)
        self._verdict = Verdict(self._serving, self._kept, self._board, self._changed)
        self._board.note(SwapState.IDLE, "", active=self._serving.active.name)
        self._board.tell()

    @property
    def status(self) -> SwapStatus:
        """How things stand."""
        watched = self._serving.watched if self._serving is not None else None
        status = self._board.status
        return replace(status, progress=watched.probation.progress) if watched is not None else status

    def update(self, params: InferenceParams, swap: SwapParams) -> None:
        """Take over live parameters; returns at once. A staging under way goes on with those it began with.

        Raises:
            ParameterError: as for `Variants.update`; nothing has changed.
        """
        with self._changed:
            self._now.update(params)
            self._params, self._swap = params, swap
            if self._candidate is not None:
                self._candidate.generation.update(params)

    def close(self) -> None:
        """Free everything; a staging under way is given up. Harmless twice. No inference may begin any more."""
        with self._changed:
            self._closing, staging, minder = True, self._staging, self._minder
            self._changed.notify_all()
        if staging is not None:
            staging.cancel("the node ends")
        if minder is not None:
            minder.join()
        idle = self._busy.acquire(timeout=_PATIENCE)
        with self._changed:
            if self._candidate is not None:
                self._free(self._candidate.generation)
            if self._serving is not None:
                self._serving.close()
            self._candidate = None
        if idle:
            self._busy.release()
        if hung := self._retiring.wait(_PATIENCE):
            log.error("%s is not freed: an inference of it does not end", hung)

    def stage(self, path: Path) -> SwapStatus:
        """Load and examine a model; blocks until it is ready.

        Args:
            path: folder of a signed set, or a model card.

        Raises:
            EdgeAIError: it is refused, with the reason, or another update is under way. Nothing has changed then.
        """
        if not self._busy.acquire(blocking=False):
            raise self._refusal("stage", "idle")
        try:
            staging = self._begin(path)
            try:
                self._ready(staging.run(), staging)
            except Exception as error:
                if not isinstance(error, EdgeAIError):
                    log.exception("staging '%s' failed", path)
                    error = DeploymentError(f"staging '{path}'", got=f"{type(error).__name__}: {error}")
                self._staging = None
                self._board.note(SwapState.IDLE, str(error), candidate="", progress=0.0)
                log.error("%s goes on: %s", self._now.active.name, error)
                self._board.tell()
                raise error from None
            return self.status
        finally:
            self._busy.release()

    def switch(self) -> SwapStatus:
        """Let the model that is ready answer from the next frame on, on probation; returns at once.

        Raises:
            DeploymentError: none is ready.
        """
        with self._changed:
            candidate = self._candidate
            if candidate is None:
                raise self._refusal("switch", "ready")
            before, new = self._now.put(candidate, self._swap, self._clock), candidate.generation
            self._candidate = None
            message = f"{new.name} answers, {before.name} stands by"
            count = self._board.status.switches + 1
            self._board.note(SwapState.PROBATION, message, active=new.name, progress=0.0, switches=count)
            log.info("%s", message)
            self._changed.notify_all()
        self._board.tell()
        return self.status

    def roll_back(self, reason: str) -> SwapStatus:
        """Let the model before answer again.

        Raises:
            DeploymentError: none is on probation.
        """
        self._verdict.take_back(self._now.watched, reason)
        return self.status

    def discard(self) -> SwapStatus:
        """Give up what is being staged, or is ready.

        Raises:
            DeploymentError: there is nothing to give up.
        """
        self._discard("it was discarded")
        return self.status

    def result(self, result: Result, frame: Frame | PendingFrame) -> None:
        """Told of every result; takes microseconds. Frames still to be decoded and answers of a server are ignored."""
        if isinstance(frame, Frame) and result.source == "edge":
            if (staging := self._staging) is not None:
                staging.offer(result, frame)
            else:
                self._now.offer(result, frame)

    def _begin(self, path: Path) -> Staging:
        hung = self._retiring.wait(_PATIENCE)
        with self._changed:
            if self._closing:
                raise DeploymentError(f"staging '{path}'", got="the node ends")
            if self._board.status.state is not SwapState.IDLE:
                raise self._refusal("stage", "idle")
            if hung:
                mend = "wait until it has ended, or restart the node"
                raise DeploymentError(f"staging '{path}'", got=f"{hung}, of which an inference still hangs", mend=mend)
            self._staging = Staging(
                path,
                self._params,
                self._swap,
                self._now.active,
                admit=self._admit or admission(self._params),
                retiring=self._retiring,
                tell=self._told,
                clock=self._clock,
            )
            self._board.note(SwapState.STAGING, "", candidate=str(path), checks=(), progress=0.0)
            return self._staging

    def _ready(self, candidate: Candidate, staging: Staging) -> None:
        generation = candidate.generation
        with self._changed:
            self._staging = None
            if why := "the node ends" if self._closing else staging.why:
                self._free(generation)
                raise DeploymentError(f"staging {generation.name}", got=why)
            generation.update(self._params)
            self._candidate = candidate
            self._ready_until_ns = self._clock.steady_ns() + round(self._swap.ready_timeout * NS)
            message = f"{generation.name} is ready"
            self._board.note(SwapState.READY, message, candidate=generation.name, progress=1.0)
            log.info("%s", message)
            self._minder = threading.Thread(target=self._mind, name="model update", daemon=True)
            self._minder.start()
        self._board.tell()

    def _mind(self) -> None:
        """Look after a model that is ready or on probation, until it is neither."""
        while True:
            with self._changed:
                if self._closing or (self._candidate is None and self._now.watched is None):
                    return
                self._changed.wait(_LOOK)
                watched = self._now.watched
                late = self._candidate is not None and self._clock.steady_ns() > self._ready_until_ns
            with suppress(DeploymentError):  # somebody else has decided meanwhile
                if late:
                    self._discard(f"nobody switched to it within {self._swap.ready_timeout:g} s")
                elif watched is not None:
                    self._verdict.judge(watched)

    def _discard(self, reason: str) -> None:
        with self._changed:
            candidate, staging = self._candidate, self._staging
            if candidate is not None:
                name = candidate.generation.name
                self._candidate = None
                self._free(candidate.generation)
                self._board.note(SwapState.IDLE, f"{name} is given up: {reason}", candidate="", progress=0.0)
                self._changed.notify_all()
            elif staging is not None:
                staging.cancel(reason)
            else:
                raise self._refusal("discard", "staged")
        self._board.tell()

    def _free(self, generation: Generation) -> None:
        self._retiring.add(generation.name, generation.variants.close)

    def _refusal(self, action: str, wanted: str) -> DeploymentError:
        begins = self._board.status.state is SwapState.IDLE and self._busy.locked()
        return self._board.refusal(action, wanted, "another update that begins" if begins else "")

    def _told(self, state: SwapState, progress: float, checks: Sequence[Check], message: str) -> None:
        self._board.note(state, message, progress=progress, checks=tuple(checks))
        self._board.tell()
