"""The running pipeline: newest frame in, results out, each stage on its own thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.types import Frame, Result
from edge_ai.processing.resize import Placement
from edge_ai.runtime.latest import LatestSlot
from edge_ai.runtime.model import Model, Outputs

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PipelineCounts:
    """What became of the frames, since the pipeline started.

    Attributes:
        processed: results handed on.
        dropped: frames replaced by a newer one before a worker was free.
        failed: frames whose inference failed.
        overtaken: results older than one already handed on.
    """

    processed: int = 0
    dropped: int = 0
    failed: int = 0
    overtaken: int = 0


@dataclass(frozen=True, slots=True)
class _Inferred:
    frame: Frame
    placement: Placement
    outputs: Outputs
    timings: dict[str, float]


class Pipeline:
    """Runs a model on the newest frame there is; results come in capture order and never queue.

    Args:
        model: an open model.
        on_result: called with each result, on the finishing thread.
        on_error: called with the frame and the error of each failure; default logs it.
        workers: frames in inference at once; more than one needs a backend that allows it.
    """

    def __init__(
        self,
        model: Model,
        on_result: Callable[[Result, Frame], None],
        on_error: Callable[[Frame, Exception], None] | None = None,
        *,
        workers: int = 1,
    ) -> None:
        if workers > 1 and not model.backend.concurrent:
            raise EdgeAIError("parameter 'workers'", got=workers, wanted=f"1 with backend {model.backend.name}")
        self._model = model
        self._on_result, self._on_error = on_result, on_error or _log_failure
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._inferred: LatestSlot[_Inferred] = LatestSlot()
        self._lock = threading.Lock()
        self._processed = self._failed = self._overtaken = 0
        self._newest_ns = 0
        self._threads = [threading.Thread(target=self._work, name=f"infer-{i}", daemon=True) for i in range(workers)]
        self._threads.append(threading.Thread(target=self._finish, name="postprocess", daemon=True))

    def start(self) -> None:
        """Begin; call once."""
        for thread in self._threads:
            thread.start()

    def submit(self, frame: Frame, patience: float = 0.0) -> None:
        """Hand in a frame; returns at once. It replaces one that still waits for a worker.

        Args:
            frame: what to infer.
            patience: seconds to let a frame that still waits go first, where every frame counts more than its age.
        """
        self._frames.put(frame, patience)

    def stop(self) -> None:
        """End all threads; a frame still in inference has no result."""
        self._frames.close()
        for thread in self._threads[:-1]:
            thread.join()
        self._inferred.close()
        self._threads[-1].join()

    @property
    def counts(self) -> PipelineCounts:
        """What became of the frames so far."""
        dropped = self._frames.dropped + self._inferred.dropped
        return PipelineCounts(self._processed, dropped, self._failed, self._overtaken)

    def _work(self) -> None:
        request = self._model.request()
        while (frame := self._frames.get()) is not None:
            try:
                placement, outputs, timings = self._model.run(frame, request)
            except Exception as error:
                self._fail(frame, error)
            else:
                self._inferred.put(_Inferred(frame, placement, outputs, timings))

    def _finish(self) -> None:
        while (item := self._inferred.get()) is not None:
            if item.frame.header.steady_ns <= self._newest_ns:
                self._overtaken += 1
                continue
            try:
                result = self._model.finish(item.frame, item.placement, item.outputs, item.timings)
            except Exception as error:
                self._fail(item.frame, error)
                continue
            self._newest_ns = item.frame.header.steady_ns
            self._processed += 1
            try:
                self._on_result(result, item.frame)
            except Exception:
                log.exception("handing on a result failed")

    def _fail(self, frame: Frame, error: Exception) -> None:
        with self._lock:
            self._failed += 1
        self._on_error(frame, error)


def _log_failure(frame: Frame, error: Exception) -> None:
    log.error("frame %d: %s", frame.header.index, error, exc_info=not isinstance(error, EdgeAIError))
