"""The thread that tells the wheels what to do, at a steady rate and on every new result."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge_ai.control.controller import Command, Controller
from edge_ai.core.types import Result

log = logging.getLogger(__name__)


class ControlLoop:
    """Steps a controller once a period and whenever a result arrives, on a thread of its own.

    It waits on the steady clock, so neither a busy executor nor a paused simulation keeps a stop from going out.

    Args:
        controller: decides each command.
        send: called with every command on the loop's thread.
        rate: least number of commands a second.
    """

    def __init__(self, controller: Controller, send: Callable[[Command], None], rate: float) -> None:
        self._controller = controller
        self._send = send
        self._period = 1.0 / rate
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin sending; call once."""
        self._thread.start()

    def offer(self, result: Result) -> None:
        """Give the controller a result and act on it at once."""
        self._controller.offer(result)
        self._wake.set()

    def wake(self) -> None:
        """Step now: after an emergency stop or a change of parameters."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread; the caller sends the last command, a stop."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._send(self._controller.step())
            except Exception:
                log.exception("sending a command failed")
            self._wake.wait(self._period)
            self._wake.clear()
