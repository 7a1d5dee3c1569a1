"""The running pipeline: the newest frame of each camera in, results out in the order of capture."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge_ai.batching.batcher import Batcher
from edge_ai.batching.fair_queue import Share
from edge_ai.batching.policy import BatchPolicy, FixedPolicy
from edge_ai.batching.ticket import Ticket
from edge_ai.core.clock import NS
from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.runtime.detector import Detector
from edge_ai.runtime.ordering import CaptureOrder

Source = Frame | PendingFrame
Seen = tuple[Result, Frame]

log = logging.getLogger(__name__)

_TURNS = 3
"""Inferences of each worker that may wait for an older one: after a switch to a lighter model the last of the old one
takes as long as several of the new one. Only one that hangs should be given up."""


@dataclass(frozen=True, slots=True)
class PipelineCounts:
    """What became of the frames, since the pipeline started.

    Attributes:
        processed: results handed on.
        failed: frames whose inference failed.
        overtaken: results older than one of the same camera already handed on, see `CaptureOrder`.
        reasons: frames never inferred, by reason; see `edge_ai.batching.ticket.Reason`.
        queue: frames that wait or are in work now; 0 where that is not known.
        batches: inferences that ran, of one image or several; 0 where that is not known.
    """

    processed: int = 0
    failed: int = 0
    overtaken: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    queue: int = 0
    batches: int = 0

    @property
    def dropped(self) -> int:
        """Frames never inferred, mostly because a newer one came."""
        return sum(self.reasons.values())


class Pipeline:
    """Runs a model on the newest frame of each camera there is; frames never queue, so results never grow old.

    Capturing goes on while a frame is in work. A worker takes a frame all the way, from preprocessing to handing on its
    result: nothing waits between two stages, and the stages of different frames overlap over the workers, whose number
    is thus a choice between latency and throughput. Measured against a thread for each stage, a frame is as quick in
    the middle and quicker at its worst, for less processor time.

    Args:
        model: an open model.
        on_result: called with each result and its frame on a worker, by one at a time.
        on_error: called with the frame and the error of each failure; default logs it.
        workers: inferences in work at once; an engine that takes one at a time still overlaps with the other stages.
        policy: when to infer several frames at once; default never.
        shares: what each camera may have of the model; one not named has `Share`'s defaults.
        max_age: seconds; a frame that would be older when its result comes is not inferred. 0: any is.
        refresh: called on a worker that comes free, to submit the newest frames there are just then; see `wait_idle`.
        on_dropped: called with each frame that will not be inferred.
    """

    def __init__(
        self,
        model: Detector,
        on_result: Callable[[Result, Frame], None],
        on_error: Callable[[Source, Exception], None] | None = None,
        *,
        workers: int = 1,
        policy: BatchPolicy | None = None,
        shares: Mapping[str, Share] | None = None,
        max_age: float = 0.0,
        refresh: Callable[[], None] | None = None,
        on_dropped: Callable[[Source], None] | None = None,
    ) -> None:
        self._max_age_ns = round(max_age * NS)
        self._on_dropped = on_dropped
        self._on_result, self._on_error = on_result, on_error or _log_failure
        policy = policy or FixedPolicy()

        def runner() -> Callable[[Sequence[Source]], Sequence[Seen]]:
            request = model.request(policy.max_size)

            def run(sources: Sequence[Source]) -> Sequence[Seen]:
                for source in sources:
                    self._order.begin(source.camera, source.header.steady_ns)
                frames = [_read(source) for source in sources]
                return list(zip(model.detect(frames, request), frames, strict=True))

            return run

        self._batcher: Batcher[Source, Seen] = Batcher(runner, policy, workers=workers, shares=shares, refresh=refresh)
        self._turn = threading.Lock()
        self._order: CaptureOrder[Seen] = CaptureOrder(patience=_TURNS * workers * policy.max_size - 1)

    def start(self) -> None:
        """Begin; call once."""
        self._batcher.start()

    def submit(self, frame: Source, patience: float = 0.0) -> None:
        """Hand in a frame; returns at once. It replaces one of its camera that still waits for a worker.

        Args:
            frame: what to infer.
            patience: seconds to let a frame that still waits go first, where every frame counts more than its age.
        """
        deadline = frame.header.steady_ns + self._max_age_ns if self._max_age_ns else None
        self._batcher.submit(
            frame,
            source=frame.camera,
            deadline_ns=deadline,
            latest=True,
            patience=patience,
            on_done=self._done,
        )

    def wait_idle(self, timeout: float) -> bool:
        """Wait until a worker has nothing to do, for a source that would take a frame only to see it replaced.

        Returns:
            False after ``timeout`` seconds without.
        """
        return self._batcher.wait_idle(timeout)

    def stop(self) -> None:
        """End all threads once the inferences under way have ended."""
        self._batcher.stop()

    @property
    def counts(self) -> PipelineCounts:
        """What became of the frames of all cameras so far."""
        counts = self._batcher.counts
        overtaken = sum(map(self._order.overtaken, counts.sources))
        queue = counts.submitted - counts.processed - counts.failed - sum(counts.dropped.values())
        batches = sum(counts.batches.values())
        return PipelineCounts(
            counts.processed - overtaken, counts.failed, overtaken, counts.dropped, queue=queue, batches=batches
        )

    def counts_of(self, camera: str) -> PipelineCounts:
        """What became of the frames of one camera so far."""
        counts, overtaken = self._batcher.counts.sources.get(camera), self._order.overtaken(camera)
        if counts is None:
            return PipelineCounts()
        return PipelineCounts(counts.processed - overtaken, counts.failed, overtaken, counts.dropped)

    def _done(self, ticket: Ticket[Source, Seen]) -> None:
        source = ticket.item
        if ticket.state == "dropped":
            if self._on_dropped is not None:
                self._on_dropped(source)
            return
        with self._turn:
            for result, frame in self._order.finish(source.camera, source.header.steady_ns, ticket.output):
                try:
                    self._on_result(result, frame)
                except Exception:
                    log.exception("handing on a result failed")
        if ticket.error is not None:
            self._on_error(source, ticket.error)


def _read(source: Source) -> Frame:
    """Its image, as one of the camera it was submitted for: who decodes it need not know which that is."""
    if isinstance(source, Frame):
        return source
    frame = source.read()
    return frame if frame.camera == source.camera else replace(frame, camera=source.camera)


def _log_failure(frame: Source, error: Exception) -> None:
    log.error("frame %d: %s", frame.header.index, error, exc_info=not isinstance(error, EdgeAIError))
