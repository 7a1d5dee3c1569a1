"""A pipeline whose frames may also be answered by a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge_ai.batching.fair_queue import Share
from edge_ai.core.clock import Clock
from edge_ai.core.types import Result
from edge_ai.routing.decision import Where
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.side import Source
from edge_ai.routing.status import RouterStatus
from edge_ai.runtime.detector import Detector
from edge_ai.runtime.edge_side import EdgeSide
from edge_ai.runtime.pipeline import Pipeline, PipelineCounts
from edge_ai.runtime.routes import Routes
from edge_ai.runtime.uplink import Connected


class RoutedPipeline:
    """As `Pipeline`, with a router between the camera and the model, and a server beside it.

    Args:
        model: an open model, the robot's own.
        cloud: the server; it is connected in the background, and closed in the end.
        params: how to decide.
        clock: deadlines are on its steady time.
        on_result: called with each answer and its frame, by one thread at a time.
        on_error: called with the frame and the error of each failure.
        ping_period: seconds between two looks whether the server is there.
        workers: as of `Pipeline`.
        shares: as of `Pipeline`.
        max_age: as of `Pipeline`.

    Raises:
        ParameterError: no policy has that name.
    """

    def __init__(
        self,
        model: Detector,
        cloud: Connected,
        params: RouterParams,
        clock: Clock,
        on_result: Callable[[Result, Source], None],
        on_error: Callable[[Source, Exception], None] | None = None,
        *,
        ping_period: float = 1.0,
        workers: int = 1,
        shares: Mapping[str, Share] | None = None,
        max_age: float = 0.0,
    ) -> None:
        self._cloud = cloud
        edge = EdgeSide(self._infer_here)
        self._pipeline = Pipeline(
            model,
            edge.answered,
            edge.failed,
            workers=workers,
            shares=shares,
            max_age=max_age,
            on_dropped=edge.dropped,
        )
        self._routes = Routes(edge, cloud, params, clock, on_result, on_error, ping_period=ping_period)
        self._router = self._routes.router

    def start(self) -> None:
        """Begin; call once."""
        self._pipeline.start()
        self._routes.start()

    def submit(self, frame: Source, patience: float = 0.0) -> None:
        """Hand in a frame. ``patience``: seconds to wait for the model here to be free, where every frame counts."""
        if patience:
            self._pipeline.wait_idle(patience)
        self._router.offer(frame)

    def _infer_here(self, frame: Source) -> None:
        self._pipeline.submit(frame)

    def stop(self) -> None:
        """End all threads once the inferences under way have ended."""
        self._routes.stop()
        self._pipeline.stop()

    def update(
        self, params: RouterParams, cloud: CloudParams, *, score_threshold: float, classes: Sequence[str]
    ) -> None:
        """Take over parameters that may change.

        Raises:
            ParameterError: no policy has that name, or the server's model has no such class.
        """
        self._cloud.configure(score_threshold=score_threshold, classes=classes)
        self._router.update(params)
        self._cloud.adjust(cloud)

    @property
    def status(self) -> RouterStatus:
        """Both sides, and what became of the frames."""
        return self._router.status

    @property
    def fault(self) -> str:
        """What is wrong with the way to the server; empty if nothing is."""
        return self._routes.fault

    @property
    def counts(self) -> PipelineCounts:
        """What became of the frames of all cameras so far."""
        counts = self._router.counts
        dropped = {"replaced": counts.dropped, "skipped": counts.decisions[Where.SKIP], "repeated": counts.repeated}
        reasons = {reason: count for reason, count in dropped.items() if count}
        return PipelineCounts(sum(counts.answers.values()), counts.failed + counts.expired, counts.overtaken, reasons)
