"""Keeps the way to a server open: connects again and again until it answers, then looks now and then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from edge_ai.core.clock import Clock
from edge_ai.core.errors import EdgeAIError
from edge_ai.processing.card import ModelCard
from edge_ai.routing.cloud.select import client_for
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import Side
from edge_ai.runtime.remote_model import RemoteModel
from edge_ai.runtime.resources import shipped_card

log = logging.getLogger(__name__)

_LONGEST = 15.0  # s between two attempts to connect


class Connected(Side, Protocol):
    """A side that has to be connected first, such as `edge_ai.runtime.remote_model.RemoteModel`."""

    def open(self) -> None:
        """Connect and check; raises EdgeAIError, and may be called again."""

    def ping(self, done: Callable[[float | Exception], None]) -> None:
        """Ask for a sign of life; ``done`` gets the seconds that took, or why there is none."""

    def adjust(self, params: CloudParams) -> None:
        """Take over the parameters that may change while it works."""

    def configure(self, *, score_threshold: float, classes: Sequence[str]) -> None:
        """Report only these; as `edge_ai.runtime.model.Model.configure`."""

    def close(self) -> None:
        """Give up all that is under way."""


def remote(params: CloudParams, clock: Clock, card: ModelCard | None = None) -> Connected:
    """The server that parameters name, not connected yet.

    Args:
        params: url and how to reach it.
        clock: of the robot.
        card: of the robot's own model, which the server has too unless ``params.card`` names another.

    Raises:
        EdgeAIError: the url, a certificate or the card is wrong.
    """
    if params.card:
        card = ModelCard.load(params.card)
    return RemoteModel(card or ModelCard.load(shipped_card()), params, client_for(params), clock)


class Uplink:
    """Connects a side in the background, so that a robot starts without its server.

    Args:
        side: to be connected.
        pinged: takes the seconds a sign of life took.
        period: seconds between two of them.
    """

    def __init__(self, side: Connected, pinged: Callable[[float], None], period: float) -> None:
        self._side, self._pinged, self._period = side, pinged, period
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self.fault = ""
        self._told = False

    def start(self) -> None:
        """Begin to connect; call once. A side without a name is nobody, and nothing begins."""
        if not self._side.name:
            return
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and close the side; harmless twice."""
        self._end.set()
        thread, self._thread = self._thread, None
        self._side.close()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        pause = min(1.0, self._period)
        while not self._end.is_set() and not self._connect():
            self._end.wait(pause)
            pause = min(2 * pause, _LONGEST)
        while not self._end.wait(self._period):
            # What is there now may be another server, or another version of the model. A sign of life asked for before
            # an attempt to connect failed may come after it: the side itself knows whether it must be opened.
            if self.fault or self._side.unready:
                self._connect()
            else:
                self._side.ping(self._heard)

    def _connect(self) -> bool:
        try:
            self._side.open()
        except EdgeAIError as error:
            self._note(str(error))
            return False
        except Exception as error:
            self._note(f"{type(error).__name__}: {error}")
            return False
        self._note("")
        if not self._told:
            self._told = True
            log.info("connected to %s", self._side.name)
        return True

    def _heard(self, answer: float | Exception) -> None:
        if isinstance(answer, Exception):
            self._note(str(answer))
        else:
            if not self._side.unready:
                self._note("")
            self._pinged(answer)

    def _note(self, fault: str) -> None:
        # Once when it begins: a network finds new words for the same trouble every second.
        if fault and not self.fault and not self._end.is_set():
            self._told = False
            log.warning("%s: %s", self._side.name, fault)
        self.fault = fault
