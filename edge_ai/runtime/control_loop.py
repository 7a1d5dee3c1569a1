"""Tells the wheels what to do: at once on every new result, and at a steady rate on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from edge_ai.control.controller import Command, Controller
from edge_ai.core.types import Result

log = logging.getLogger(__name__)


class ControlLoop:
    """Steps a controller on every result, on the thread that brings it, and whenever a period has passed without one.

    The results' own thread saves a change of threads between seeing and acting. Periods are waited for on the steady
    clock, so neither a busy executor, a paused simulation nor a model that hangs keeps a stop from going out. Deciding
    and sending are one act: a command decided earlier is never sent after a later one.

    Args:
        controller: decides each command.
        send: called with every command, by one thread at a time; must return quickly.
        rate: least number of commands a second.
    """

    def __init__(self, controller: Controller, send: Callable[[Command], None], rate: float) -> None:
        self._controller = controller
        self._send = send
        self._period = 1.0 / rate
        self._turn = threading.Lock()
        self._acted = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin sending; call once."""
        self._thread.start()

    def offer(self, result: Result) -> None:
        """Give the controller a result and act on it at once."""
        self._controller.offer(result)
        self._act()

    def wake(self) -> None:
        """Step now, on the loop's own thread: after an emergency stop or a change of parameters."""
        self._wake.set()

    def stop(self) -> None:
        """End; nothing is sent from here on. The caller sends the last command, a stop."""
        with self._turn:
            self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            left = self._acted + self._period - time.monotonic()
            if left <= 0 or self._wake.wait(left):
                self._wake.clear()
                self._act()

    def _act(self) -> None:
        with self._turn:
            if self._stopping:
                return
            self._acted = time.monotonic()
            try:
                self._send(self._controller.step())
            except Exception:
                log.exception("sending a command failed")
