"""One frame's way to a server and back."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import EdgeAIError, InferenceError
from edge_ai.core.types import Frame, PendingFrame
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import Answer, as_result
from edge_ai.processing.resize import Placement
from edge_ai.processing.serving import SERVICE
from edge_ai.routing.budget import ShareBudget
from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudAnswerError,
    CloudCall,
    CloudClient,
    CloudError,
    CloudRequest,
    CloudTimeoutError,
    CloudUnreachableError,
)
from edge_ai.routing.cloud.tensors import array_bytes
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Outcome, Source
from edge_ai.runtime.wire import Wire
from edge_ai.runtime.wire_image import Sent
from edge_ai.runtime.worker_pool import WorkerPool


class Asker(Protocol):
    """What a call needs of the model that it is for, such as `edge_ai.runtime.remote_model.RemoteModel`."""

    name: str
    card: ModelCard
    params: CloudParams
    client: CloudClient
    budget: ShareBudget
    pool: WorkerPool
    clock: Clock

    @property
    def unready(self) -> str:
        """Why it cannot be asked; empty if it can."""

    def pack(self, frame: Frame, seconds: float) -> tuple[Wire, CloudRequest, Sent]:
        """The request for a frame whose answer is of use for so many seconds."""

    def read(self, answer: CloudAnswer, placement: Placement, wire: Wire) -> Answer:
        """What an answer says."""

    def heard(self, error: CloudError | None) -> None:
        """Learn from whether the server took a request; at once, on the client's thread."""

    def transferred(self, sent: int, seconds: float, service: float) -> None:
        """Learn from an answer how fast the link is."""


class RemoteCall:
    """A frame that a server is to answer. Thread-safe; ``done`` is called once, and not after a `cancel`.

    Args:
        model: whom it is for.
        frame: the image.
        deadline_ns: steady time after which the answer is of no use.
        done: gets the outcome.
    """

    def __init__(self, model: Asker, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> None:
        self._model, self._frame, self._deadline_ns = model, frame, deadline_ns
        self._lock = threading.Lock()
        self._done: Callable[[Outcome], None] | None = done
        self._under_way: CloudCall | None = None
        self._attempts = self._bytes = 0
        self._timings: dict[str, float] = {}

    def cancel(self) -> None:
        """Give it up; harmless when it has ended."""
        with self._lock:
            self._done, under_way, self._under_way = None, self._under_way, None
        if under_way is not None:
            under_way.cancel()

    def begin(self) -> None:
        """Encode the image and send it; on a thread of the pool."""
        if self._over:
            return
        try:
            self._encode()
        except EdgeAIError as error:
            self._fail(error)
        except Exception as error:
            self._fail(InferenceError("a request to a server", got=f"{type(error).__name__}: {error}"))
            raise

    def drop(self) -> None:
        """A newer frame took its place."""
        self.end(Outcome(dropped=True))

    def end(self, outcome: Outcome) -> None:
        """Hand over the outcome, unless it has ended."""
        with self._lock:
            done, self._done, self._under_way = self._done, None, None
        if done is not None:
            done(outcome)

    @property
    def _over(self) -> bool:
        return self._done is None

    @property
    def _left(self) -> float:
        """Seconds until its deadline."""
        return (self._deadline_ns - self._model.clock.steady_ns()) / NS

    def _encode(self) -> None:
        clock, frame = self._model.clock, self._frame
        begun = clock.steady_ns()
        if self._left <= 0:
            raise CloudTimeoutError(f"server {self._model.name}", got="no time left to send the image")
        self._timings["wait"] = (begun - frame.header.steady_ns) / NS
        frame = frame.read() if isinstance(frame, PendingFrame) else frame
        self._header = frame.header
        self._wire, self._request, self._sent = self._model.pack(frame, self._left)
        self._sent_ns = clock.steady_ns()
        self._timings["encode"] = (self._sent_ns - begun) / NS
        self._model.budget.deposit()
        self._send()

    def _send(self) -> None:
        left = self._left
        if self._over:
            return
        if left <= 0:
            raise CloudTimeoutError(f"server {self._model.name}", got="no time left to send the image")
        with self._lock:
            self._attempts += 1
            attempt = self._attempts
        under_way = self._model.client.infer(self._request, left, self._answered)
        with self._lock:
            over = self._done is None
            # It may have failed and be under way again already.
            if not over and attempt == self._attempts:
                self._under_way = under_way
        if over:
            under_way.cancel()

    def _answered(self, answer: CloudAnswer | CloudError) -> None:
        """On the client's thread: hand on to the pool."""
        took = (self._model.clock.steady_ns() - self._sent_ns) / NS
        if isinstance(answer, CloudAnswer):
            self._bytes += answer.sent
            self._timings["cloud"] = took
            self._model.heard(None)
            job: Callable[[], None] = partial(self._read, answer, took)
        else:
            self._bytes += packed(self._request)
            self._model.heard(answer)
            # Whoever is told takes his time, and all deadlines of this process are kept on this thread.
            job = self._resend if self._again(answer) else partial(self._fail, answer)
        if not self._model.pool.urgent(job):
            self._fail(CloudUnreachableError(f"server {self._model.name}", got="it was closed"))

    def _again(self, error: CloudError) -> bool:
        """Whether the request is sent again."""
        model = self._model
        if self._over or not error.retry or self._attempts >= model.params.attempts or self._left <= 0:
            return False
        return not model.unready and model.budget.take()

    def _resend(self) -> None:
        try:
            self._send()
        except CloudError as error:
            self._fail(error)

    def _read(self, answer: CloudAnswer, took: float) -> None:
        if self._over:
            return
        model, begun = self._model, self._model.clock.steady_ns()
        try:
            said = model.read(answer, self._sent.placement, self._wire)
        except CloudError as error:
            self._fail(error)
            return
        except Exception as error:
            # Of the decoder: the tensors have the right names and types, but what is in them is nonsense.
            got = str(error) if isinstance(error, EdgeAIError) else f"{type(error).__name__}: {error}"
            self._fail(CloudAnswerError(f"server {model.name}", got=got))
            return
        self._timings["postprocess"] = (model.clock.steady_ns() - begun) / NS
        service = _seconds(answer)
        if self._attempts == 1:
            model.transferred(self._bytes, took, service)
        served = self._wire.served
        result = as_result(said, self._header, model.card, self._timings)
        result = replace(
            result, source=model.name, model_name=served.name, model_version=served.version or model.card.version
        )
        self.end(Outcome(result, sent=self._bytes, service=service))

    def _fail(self, error: Exception) -> None:
        self.end(Outcome(error=error, sent=self._bytes))


def _seconds(answer: CloudAnswer) -> float:
    """How long a server says it worked; NaN: it does not say."""
    said = answer.outputs.get(SERVICE)
    value = answer.parameters.get(SERVICE) if said is None else said.flat[0].item() if said.size == 1 else None
    if isinstance(value, (int, float)) and math.isfinite(value) and value >= 0:
        return float(value)
    return math.nan


def packed(request: CloudRequest) -> int:
    """Bytes of a request's tensors."""
    return sum(array_bytes(array) for array in request.inputs.values())
