"""The whole robot in one process: camera, model and control put together from the pure parts."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.capture.capturer import Capturer, CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.control.controller import Command, Controller
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import Clock
from edge_ai.core.errors import ParameterError
from edge_ai.core.memory import free_memory
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.processing.card import ModelCard
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.status import RouterStatus
from edge_ai.runtime.control_loop import ControlLoop
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline, PipelineCounts
from edge_ai.runtime.routed import RoutedPipeline
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.swap.status import SwapStatus
from edge_ai.runtime.switchable import Leasable, SwitchableModel
from edge_ai.runtime.uplink import Connected, remote

Connect = Callable[[CloudParams, Clock, ModelCard], Connected]


def _ignore(*_: object) -> None:
    pass


class Robot:
    """Frames go from the camera to the model as objects, results to the controller, commands to ``on_command``.

    Args:
        camera: where frames come from.
        inference: what model sees them.
        control: how the robot moves.
        clock: stamps and ages.
        on_command: receives every command; must return quickly.
        on_frame: receives every captured frame.
        on_result: receives every result with its frame.
        on_status: receives every change of the camera's state.
        on_error: receives each frame without a result, and why.
        router: who answers which frame.
        cloud: the server beside the model; without a url there is none, and no router.
        connect: makes the server's side.
        swap: how new models are examined.
        on_update: receives how an update of the model stands, whenever that changes.

    Attributes:
        capturer: of the camera.
        controller: says how the robot moves.
        swap: the model, and how another takes its place; None before `prepare`.
    """

    def __init__(
        self,
        camera: CameraParams,
        inference: InferenceParams,
        control: ControlParams,
        clock: Clock,
        *,
        on_command: Callable[[Command], None],
        on_frame: Callable[[Frame], None] = _ignore,
        on_result: Callable[[Result, Frame], None] = _ignore,
        on_status: Callable[[CaptureStatus], None] = _ignore,
        on_error: Callable[[Frame | PendingFrame, Exception], None] | None = None,
        router: RouterParams | None = None,
        cloud: CloudParams | None = None,
        connect: Connect = remote,
        swap: SwapParams | None = None,
        on_update: Callable[[SwapStatus], None] = _ignore,
    ) -> None:
        self._routing, self._cloud, self._connect = router or RouterParams(), cloud or CloudParams(), connect
        self._inference, self._control, self._clock = inference, control, clock
        self._on_frame, self._on_result, self._on_error = on_frame, on_result, on_error
        self._on_command, self._on_update = on_command, on_update
        self._examining = swap or SwapParams()
        # A file that goes "as fast as consumed" waits for the model; a live camera never does.
        self._patience = 0.0 if camera.realtime else 2.0
        self.capturer = Capturer(camera, clock, self._captured, on_status)
        self.swap: HotSwap | None = None
        self.controller = Controller(control, clock)
        self._pipeline: Pipeline | RoutedPipeline | None = None
        self._remote: Connected | None = None
        self._loop: ControlLoop | None = None

    def prepare(self) -> None:
        """Load the model and open the camera, so that what cannot work fails now and says why.

        Raises:
            EdgeAIError: the camera or the model cannot be had, or several cameras are asked for.
        """
        if len(self._inference.cameras) > 1:
            wanted = "one camera in one process; several with separate nodes (composed:=false)"
            raise ParameterError("parameter 'cameras'", got=self._inference.cameras, wanted=wanted)
        self.capturer.prepare()
        swap = HotSwap(self._inference, self._examining, self._clock, on_change=self._on_update)
        swap.open()
        self.swap = swap
        self._connect_cloud(swap)

    def start(self) -> None:
        """Begin to see and to move."""
        assert self.swap is not None, "call prepare() first"
        self.controller.activate()
        self._loop = ControlLoop(self.controller, self._on_command, self._control.rate)
        self._connect_cloud(self.swap)
        self._pipeline = self._make_pipeline(self.swap.model)
        self._loop.start()
        self._pipeline.start()
        self.capturer.start()

    def stop(self) -> None:
        """Stop moving, then seeing; the last command sent is zero."""
        if self._loop is not None:
            self._loop.stop()
            self._on_command(self.controller.deactivate())
        self.capturer.stop()
        if self._pipeline is not None:
            self._pipeline.stop()
        elif self._remote is not None:
            self._remote.close()
        self._loop = self._pipeline = self._remote = None

    def close(self) -> None:
        """Free the model and the camera."""
        self.stop()
        if self.swap is not None:
            self.swap.close()
            self.swap = None

    def update(
        self,
        inference: InferenceParams,
        control: ControlParams,
        router: RouterParams | None = None,
        cloud: CloudParams | None = None,
        camera: CameraParams | None = None,
        swap: SwapParams | None = None,
    ) -> None:
        """Take over parameters that may change while the robot runs; returns at once, see `HotSwap.update`.

        Raises:
            EdgeAIError: a value does not fit the model.
        """
        router, cloud = router or self._routing, cloud or self._cloud
        self._examining = swap or self._examining
        if self.swap is not None:
            self.swap.update(inference, self._examining)
        if isinstance(self._pipeline, RoutedPipeline):
            self._pipeline.update(router, cloud, score_threshold=inference.score_threshold, classes=inference.classes)
        self.controller.update(control)
        if camera is not None:
            self.capturer.update(camera)
        self._inference, self._control, self._routing, self._cloud = inference, control, router, cloud

    def free_memory(self) -> int:
        """Give back what is held without need, see `HotSwap.free_memory`; the bytes given back."""
        return self.swap.free_memory() if self.swap is not None else free_memory()

    @property
    def model(self) -> SwitchableModel[Leasable] | None:
        """What answers on this machine: card and engine are those of the variant that does; None before `prepare`."""
        return self.swap.model if self.swap is not None else None

    @property
    def serving(self) -> str:
        """Which of the lighter models answers; empty: the model itself."""
        if self.swap is None or self.swap.serving is self.swap.active.choices[0]:
            return ""
        return self.swap.serving.title

    @property
    def note(self) -> str:
        """What the user should know of the model, see `HotSwap.note`."""
        return self.swap.note if self.swap is not None else ""

    @property
    def description(self) -> str:
        """Camera, model and engine in one line."""
        model = f"{self.model.card.name} on {self.model.backend.description}" if self.model else "no model yet"
        cloud = f" and {self._remote.name}" if self._remote else ""
        return f"{self.capturer.name}, {model}{cloud}"

    def wake(self) -> None:
        """Let the controller act now, after an emergency stop or a reset."""
        if self._loop is not None:
            self._loop.wake()

    @property
    def counts(self) -> PipelineCounts:
        """What became of the frames since `start`."""
        return self._pipeline.counts if self._pipeline is not None else PipelineCounts()

    @property
    def routing(self) -> RouterStatus | None:
        """Both sides and what became of the frames; None without a server."""
        return self._pipeline.status if isinstance(self._pipeline, RoutedPipeline) else None

    @property
    def cloud_fault(self) -> str:
        """What is wrong with the way to the server; empty if nothing is, or there is none."""
        return self._pipeline.fault if isinstance(self._pipeline, RoutedPipeline) else ""

    def _connect_cloud(self, swap: HotSwap) -> None:
        """Make the way to the server, anew after a stop, which closed it."""
        if self._cloud.url and self._remote is None:
            self._remote = self._connect(self._cloud, self._clock, swap.card)
            self._remote.configure(score_threshold=self._inference.score_threshold, classes=self._inference.classes)

    def _make_pipeline(self, model: SwitchableModel[Leasable]) -> Pipeline | RoutedPipeline:
        shares = {"": next(iter(self._inference.shares.values()))}  # frames of the one camera bear no name
        workers, max_age = self._inference.workers, self._inference.max_age
        if self._remote is None:
            return Pipeline(model, self._inferred, self._on_error, workers=workers, shares=shares, max_age=max_age)
        return RoutedPipeline(
            model,
            self._remote,
            self._routing,
            self._clock,
            self._inferred,
            self._on_error,
            ping_period=self._cloud.ping_period,
            workers=workers,
            shares=shares,
            max_age=max_age,
        )

    def _captured(self, frame: Frame) -> None:
        if self._pipeline is not None:
            self._pipeline.submit(frame, self._patience)
        self._on_frame(frame)

    def _inferred(self, result: Result, frame: Frame | PendingFrame) -> None:
        if self._loop is not None:
            self._loop.offer(result)
        assert isinstance(frame, Frame), "a camera gives frames"
        self._on_result(result, frame)
        if self.swap is not None:
            self.swap.result(result, frame)
