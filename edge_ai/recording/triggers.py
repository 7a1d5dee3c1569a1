"""What makes the flight recorder write."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_ai.control.command import ControlState
from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.alert import Alert, Level
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder

_log = logging.getLogger(__name__)


class Triggers:
    """Begins a recording for what the parameter ``triggers`` names. May be called from any thread.

    Args:
        recorder: writes.
        params: which occasions count.
    """

    def __init__(self, recorder: FlightRecorder, params: RecorderParams) -> None:
        self._recorder, self._params = recorder, params
        self._stopped = False

    def update(self, params: RecorderParams) -> None:
        """Take over live parameters."""
        self._params = params

    def alert(self, alert: Alert) -> Path | None:
        """An alert was raised or cleared."""
        names = self._params.triggers
        wanted = "alert" in names or ("error" in names and alert.level == Level.ERROR)
        return self._trigger(f"alert {alert.name}: {alert.message}") if wanted and alert.active else None

    def control(self, state: int) -> Path | None:
        """The controller is in this state; the emergency stop counts when it begins."""
        stopped, self._stopped = self._stopped, state == ControlState.EMERGENCY_STOP
        if stopped or not self._stopped or "emergency_stop" not in self._params.triggers:
            return None
        return self._trigger("emergency stop")

    def crash(self, words: str) -> Path | None:
        """A node or a thread died."""
        return self._trigger(f"crash: {words}") if "crash" in self._params.triggers else None

    def request(self, words: str = "") -> Path:
        """Somebody asks for a recording. Errors as for `FlightRecorder.trigger`."""
        return self._recorder.trigger(f"request: {words}" if words else "request")

    def _trigger(self, reason: str) -> Path | None:
        try:
            return self._recorder.trigger(reason)
        except EdgeAIError as error:
            _log.warning("%s", error)
            return None


def watch_crashes(triggers: Triggers, close: Callable[[], object]) -> Callable[[], None]:
    """Record what leads to an exception that nobody catches, in any thread; in the main thread it ends the program.

    Args:
        triggers: asks for the recording.
        close: writes it, before the program ends.

    Returns:
        Ends the watch.
    """
    before, before_thread = sys.excepthook, threading.excepthook

    def main(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, Exception) and triggers.crash(f"{kind.__name__}: {error}") is not None:
            close()
        before(kind, error, trace)

    def thread(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "?"
        triggers.crash(f"thread {name}: {args.exc_type.__name__}: {args.exc_value}")
        before_thread(args)

    def undo() -> None:
        sys.excepthook, threading.excepthook = before, before_thread

    sys.excepthook, threading.excepthook = main, thread
    return undo
