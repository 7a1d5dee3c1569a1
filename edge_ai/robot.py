"""The whole robot in one process: camera, model and control put together from the pure parts."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.capture.capturer import Capturer, CaptureStatus
from edge_ai.capture.params import CameraParams
from edge_ai.control.controller import Command, Controller
from edge_ai.control.params import ControlParams
from edge_ai.core.clock import Clock
from edge_ai.core.errors import ParameterError
from edge_ai.core.types import Frame, PendingFrame, Result
from edge_ai.runtime.control_loop import ControlLoop
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.pipeline import Pipeline, PipelineCounts


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
    ) -> None:
        self._inference, self._control, self._clock = inference, control, clock
        self._on_frame, self._on_result, self._on_error = on_frame, on_result, on_error
        self._on_command = on_command
        # A file that goes "as fast as consumed" waits for the model; a live camera never does.
        self._patience = 0.0 if camera.realtime else 2.0
        self.capturer = Capturer(camera, clock, self._captured, on_status)
        self.model: Model | None = None
        self.controller = Controller(control, clock)
        self._pipeline: Pipeline | None = None
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
        self.model = Model.load(self._inference, self._clock)

    def start(self) -> None:
        """Begin to see and to move."""
        assert self.model is not None, "call prepare() first"
        self.controller.activate()
        self._loop = ControlLoop(self.controller, self._on_command, self._control.rate)
        self._pipeline = Pipeline(
            self.model,
            self._inferred,
            self._on_error,
            workers=self._inference.workers,
            shares={"": next(iter(self._inference.shares.values()))},  # frames of the one camera bear no name
            max_age=self._inference.max_age,
        )
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
        self._loop = self._pipeline = None

    def close(self) -> None:
        """Free the model and the camera."""
        self.stop()
        if self.model is not None:
            self.model.close()
            self.model = None

    def update(self, inference: InferenceParams, control: ControlParams) -> None:
        """Take over parameters that may change while the robot runs.

        Raises:
            EdgeAIError: a value does not fit the model.
        """
        if self.model is not None:
            self.model.configure(score_threshold=inference.score_threshold, classes=inference.classes)
        self.controller.update(control)

    @property
    def description(self) -> str:
        """Camera, model and engine in one line."""
        model = f"{self.model.card.name} on {self.model.backend.description}" if self.model else "no model yet"
        return f"{self.capturer.name}, {model}"

    def wake(self) -> None:
        """Let the controller act now, after an emergency stop or a reset."""
        if self._loop is not None:
            self._loop.wake()

    @property
    def counts(self) -> PipelineCounts:
        """What became of the frames since `start`."""
        return self._pipeline.counts if self._pipeline is not None else PipelineCounts()

    def _captured(self, frame: Frame) -> None:
        if self._pipeline is not None:
            self._pipeline.submit(frame, self._patience)
        self._on_frame(frame)

    def _inferred(self, result: Result, frame: Frame) -> None:
        if self._loop is not None:
            self._loop.offer(result)
        self._on_result(result, frame)
