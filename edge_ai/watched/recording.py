"""What happens in this process, as the flight recorder takes it: messages of ROS 2."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from edge_ai.capture.calibration import Calibration
from edge_ai.capture.status import CaptureState, CaptureStatus
from edge_ai.control.command import Command
from edge_ai.core.clock import Clock
from edge_ai.core.types import Frame, Result
from edge_ai.monitoring.alert import Alert
from edge_ai.monitoring.mitigation import MitigationStatus
from edge_ai.monitoring.readings import Sample
from edge_ai.processing.card import ModelCard
from edge_ai.recording import messages
from edge_ai.recording.frames import FrameTap
from edge_ai.recording.recorder import FlightRecorder
from edge_ai.recording.state import RecorderState
from edge_ai.recording.triggers import Triggers, watch_crashes
from edge_ai.watched.params import WatchedParams
from edge_ai.watched.watcher import Watcher

log = logging.getLogger(__name__)

_WAITING = 256  # messages not encoded yet; more are counted as lost
_INFO, _CARD, _UPDATE = "/camera/camera_info", "/inference/card", "/inference/model_update"


class Recording(Watcher):
    """A flight recorder fed on a thread of its own, so that nobody who works for the robot waits for it.

    Args:
        params: of all parts.
        clock: stamps what has no stamp of its own.
    """

    def __init__(self, params: WatchedParams, clock: Clock) -> None:
        self._params, self._clock = params, clock
        self._recorder = FlightRecorder(params.recorder, clock)
        self._triggers = Triggers(self._recorder, params.recorder)
        self._frames = FrameTap(self._recorder, params.recorder, clock)
        self._waiting: queue.Queue[tuple[str, Callable[[], None]] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        self._card: ModelCard | None = None
        self._undo_watch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin; call once.

        Raises:
            EdgeAIError: the camera's calibration cannot be read.
        """
        camera, now = self._params.camera, self._clock.stamp_ns()
        if camera.calibration:
            info = messages.camera_info(Calibration.load(Path(camera.calibration)), now, camera.frame_id)
            self._recorder.latch(_INFO, messages.CAMERA_INFO, info, now)
        self._undo_watch = watch_crashes(self._triggers, self._recorder.close)
        self._thread.start()

    def model(self, card: ModelCard) -> None:
        """The model is this one from now on; each file begins with its card."""
        if card is not self._card:
            self._card = card
            self._recorder.latch(_CARD, messages.STRING, messages.text(_text(card)), self._clock.stamp_ns())

    def stop(self) -> None:
        """Take in what waits, write what a recording under way holds, and end."""
        self._undo_watch()
        self._frames.close()
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        self._recorder.close()

    def request(self) -> str:
        """Write the last seconds and the next ones; says to which file."""
        return f"recording to {self._triggers.request()}"

    @property
    def state(self) -> RecorderState:
        """What the recorder holds."""
        return self._recorder.status

    def frame(self, frame: Frame) -> None:
        self._frames.captured(frame)

    def result(self, result: Result, frame: Frame) -> None:
        self._frames.answered(frame)
        self._put("/inference/results", messages.RESULT, messages.inference_result, result)

    def command(self, command: Command) -> None:
        self._triggers.control(command.state)
        stamp, body = self._clock.stamp_ns(), self._params.control.base_frame_id
        self._put("/control/status", messages.CONTROL_STATUS, messages.control_status, command, stamp, body)

    def camera(self, status: CaptureStatus) -> None:
        if status.state is CaptureState.FAILED:
            self._triggers.crash(f"camera: {status.detail}")

    def sample(self, sample: Sample, alerts: Sequence[Alert]) -> None:
        target = self._params.monitor.target_fps
        self._put("/monitor/status", messages.SYSTEM_STATUS, messages.system_status, sample, alerts, target)

    def alert(self, alert: Alert) -> None:
        self._put("/monitor/alerts", messages.ALERT, messages.alert, alert)
        self._triggers.alert(alert)

    def mitigation(self, status: MitigationStatus) -> None:
        stamp = self._clock.stamp_ns()
        self._put("/monitor/mitigation", messages.MITIGATION_STATUS, messages.mitigation_status, status, stamp)

    def update(self, told: Mapping[str, Any]) -> None:
        stamp = self._clock.stamp_ns()
        self._recorder.latch(_UPDATE, messages.MODEL_UPDATE, messages.model_update(told, stamp), stamp)

    def routing(self, report: Mapping[str, Any]) -> None:
        stamp = self._clock.stamp_ns()
        self._put("/router/status", messages.ROUTER_STATUS, messages.router_status, report, stamp)

    def _put(self, topic: str, schema: str, encode: Callable[..., bytes], *what: object) -> None:
        stamp = self._clock.stamp_ns()
        try:
            self._waiting.put_nowait((topic, lambda: self._recorder.put(topic, schema, encode(*what), stamp)))
        except queue.Full:
            self._recorder.lose(topic)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            topic, put = item
            try:
                put()
            except Exception:
                log.exception("a message of %s is not recorded", topic)
                self._recorder.lose(topic)


def _text(card: ModelCard) -> str:
    text: str = yaml.safe_dump(card.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
    return text
