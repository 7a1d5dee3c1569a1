"""What makes the flight recorder write."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_ai.control.command import ControlState
from edge_ai.core.clock import NS, Clock, SystemClock
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
        clock: measures pauses on its steady side.
    """

    def __init__(self, recorder: FlightRecorder, params: RecorderParams, clock: Clock | None = None) -> None:
        self._recorder, self._params, self._clock = recorder, params, clock or SystemClock()
        self._last_ns: dict[str, int] = {}
        self._stopped = False

    def update(self, params: RecorderParams) -> None:
        """Take over live parameters."""
        self._params = params

    def alert(self, alert: Alert) -> Path | None:
        """An alert was raised or cleared."""
        names = self._params.triggers
        wanted = "alert" in names or ("error" in names and alert.level == Level.ERROR)
        if not (wanted and alert.active) or self._repeats(alert.name):
            return None
        return self._trigger(f"alert {alert.name}: {alert.message}")

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

    def _repeats(self, name: str) -> bool:
        """Whether the same alert made a recording a short while ago: a load that comes and goes would fill the disk."""
        now, last = self._clock.steady_ns(), self._last_ns.get(name)
        if last is not None and now - last < self._params.alert_pause * NS:
            return True
        self._last_ns[name] = now
        return False

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
