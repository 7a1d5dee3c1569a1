"""A model on a server: a side that answers frames like the robot's own engine."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame
from edge_ai.processing.card import ModelCard
from edge_ai.processing.postprocess import Answer, PostProcessor
from edge_ai.processing.resize import Placement
from edge_ai.routing.budget import ShareBudget
from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudClient,
    CloudError,
    CloudRequest,
    CloudRequestError,
    CloudUnreachableError,
)
from edge_ai.routing.estimates import LinkEstimate
from edge_ai.routing.params import CloudParams
from edge_ai.routing.quality import JpegQuality
from edge_ai.routing.side import Outcome, Source
from edge_ai.runtime.remote_call import RemoteCall
from edge_ai.runtime.wire import Wire, settle, wanted_model
from edge_ai.runtime.wire_answer import read_detections
from edge_ai.runtime.wire_image import Sent, WireImage, packed_bytes
from edge_ai.runtime.worker_pool import WorkerPool

log = logging.getLogger(__name__)

_THREADS, _BACKLOG, _RETRY_BURST = 2, 4, 3
_REFUSALS = 3  # wrong requests in a row, after which the model is looked at again: it may be another one by now


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is reported of an answer."""

    post: PostProcessor
    threshold: float
    classes: frozenset[int] | None


class RemoteModel:
    """Asks a server for every frame, see `Side`. Thread-safe.

    Images are encoded and answers decoded on two threads of its own; frames that wait for one are dropped for newer
    ones. A request that failed in passing is sent again while its deadline and the budget for retries allow.

    Args:
        card: what the model is.
        params: how it is asked.
        client: of the server, closed with this.
        clock: deadlines and timings.
    """

    def __init__(self, card: ModelCard, params: CloudParams, client: CloudClient, clock: Clock) -> None:
        self.card, self.clock, self.client = card, clock, client
        self.name = client.name
        self.params = params
        self.budget = ShareBudget(params.retry_share, _RETRY_BURST)
        self.pool = WorkerPool("remote-model", _THREADS, _BACKLOG)
        self._why = "the server has not been reached yet"
        self._wire: Wire | None = None
        self._local = threading.local()
        self._quality, self._link = JpegQuality(), LinkEstimate()
        self._pixels, self._chosen = 0, params.jpeg_quality
        self._refused = 0
        self._numbers = itertools.count()
        self.configure(score_threshold=0.0, classes=())

    @property
    def unready(self) -> str:
        """Why it cannot be asked; empty once `open` has succeeded, until the server takes its requests no more."""
        return self._why

    @property
    def wire(self) -> Wire | None:
        """What travels; None before `open`."""
        return self._wire

    def open(self) -> None:
        """Connect, and make sure that server and card fit. May be called again, also after a failure.

        Raises:
            CloudError: the server cannot be asked.
            CardError: its model is not what the card says.
        """
        params = self.params
        asked = wanted_model(self.card, params.model, params.version)
        try:
            served = self.client.open(*asked, params.connect_timeout)
            self._wire = settle(self.card, served, asked, params.payload)
        except EdgeAIError as error:
            self._wire, self._why = None, str(error)
            raise
        self._why = ""

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """Change what is reported, from the next answer on.

        Args:
            score_threshold: least score; 0 takes the card's. A server that finds boxes by itself has one of its own,
                which this can only raise.
            classes: names to report; empty for all.

        Raises:
            ParameterError: a class is not among the model's.
        """
        names = [name for name in classes if name]
        self._reading = _Reading(
            PostProcessor(self.card, score_threshold=score_threshold, classes=names),
            score_threshold or self.card.score_threshold,
            self.card.class_ids(names) if names else None,
        )

    def adjust(self, params: CloudParams) -> None:
        """Take over the parameters that may change while it works."""
        live = {name: getattr(params, name) for name in ("jpeg_quality", "jpeg_least", "attempts", "retry_share")}
        self.params = self.params.changed(**live)
        self.budget.share = params.retry_share

    def ask(self, frame: Source, deadline_ns: int, done: Callable[[Outcome], None]) -> RemoteCall:
        """See `Side`."""
        call = RemoteCall(self, frame, deadline_ns, done)
        if self._why:
            call.end(Outcome(error=CloudUnreachableError(f"server {self.name}", got=self._why)))
        elif not self.pool.submit(call.begin, call.drop):
            call.end(Outcome(error=CloudUnreachableError(f"server {self.name}", got="it was closed")))
        return call

    def expected_bytes(self, frame: Source) -> float:
        """See `Side`."""
        pixels, wire = frame.header.width * frame.header.height or self._pixels, self._wire
        fixed = math.nan if wire is None else packed_bytes(self.card, wire, pixels)
        return self._quality.expected_bytes(pixels, self._chosen) if math.isnan(fixed) else fixed

    def ping(self, done: Callable[[float | Exception], None]) -> None:
        """Ask whether the server is ready; ``done`` gets the seconds that took, or why not."""

        def heard(answer: float | CloudError) -> None:
            if isinstance(answer, float):
                self._link.ping(answer, self.clock.steady_ns())
            done(answer)

        self.client.ping(self.params.connect_timeout, heard)

    def close(self) -> None:
        """Give up all that is under way and close the connections; it cannot be used again. Harmless twice."""
        self._why = "it was closed"
        self.client.close()
        self.pool.close()

    def pack(self, frame: Frame, seconds: float) -> tuple[Wire, CloudRequest, Sent]:
        """The request for a frame whose answer is of use for so many seconds; on a thread of the pool.

        Raises:
            ImageError: the image cannot be read.
            CloudError: it cannot be sent.
        """
        wire = self._wire
        if wire is None:
            raise CloudUnreachableError(f"server {self.name}", got=self._why)
        image = getattr(self._local, "image", None)
        if image is None or image.wire is not wire:
            image = self._local.image = WireImage(self.card, wire)
        pixels = self._pixels = frame.header.width * frame.header.height
        bandwidth = self._link.state(self.clock.steady_ns())[0]
        quality = self._chosen = self._quality.choose(pixels, bandwidth, seconds, self.params)
        sent = image.pack(frame, quality)
        if wire.sends == "jpeg":
            self._quality.learn(quality, pixels, len(sent.array.flat[0]))
        request_id = str(next(self._numbers))
        inputs = {wire.tensor.name: sent.array}
        return wire, CloudRequest(wire.model, inputs, wire.version, wire.outputs, request_id), sent

    def read(self, answer: CloudAnswer, placement: Placement, wire: Wire) -> Answer:
        """What an answer says.

        Raises:
            CloudAnswerError: it is nonsense.
            InferenceError: its tensors are not what the card's decoder reads.
        """
        reading = self._reading
        if wire.answers == "tensors":
            return reading.post(answer.outputs, placement)
        size = placement.width, placement.height
        return read_detections(answer.outputs, self.card, size, reading.threshold, reading.classes)

    def heard(self, error: CloudError | None) -> None:
        """Learn from whether the server took a request; None: it did."""
        if error is None:
            self._refused = 0
        elif isinstance(error, CloudRequestError):
            self._refused += 1
            if self._refused == _REFUSALS:  # not again each time that opening it did not help
                log.warning("%s takes no requests: %s", self.name, error)
            if self._refused % _REFUSALS == 0:
                self._why = self._why or f"it refused {_REFUSALS} requests in a row, the last one: {error}"

    def transferred(self, sent: int, seconds: float, service: float) -> None:
        """Learn from an answer how fast the link is."""
        self._link.transfer(sent, seconds, service, self.clock.steady_ns())
