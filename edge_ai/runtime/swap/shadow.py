"""A model that watches: it answers some of the frames that another one has answered, and nobody acts on it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from edge_ai.core.types import Frame, Result
from edge_ai.runtime.latest import LatestSlot
from edge_ai.runtime.swap.likeness import Likeness, likeness
from edge_ai.runtime.switchable import Leasable

log = logging.getLogger(__name__)

_PER_S = 1e-9

Compared = Callable[[Likeness, float], None]
"""Told how like both answers are, and how many seconds the model that watches took."""


class Shadow:
    """Compares a model with the answers of another one, on a thread of its own, on the newest frame there is.

    After each inference it rests, so that the model that serves has the machine for itself most of the time.

    Args:
        model: watches; open.
        share: of the time in which it may run, above 0 up to 1.
        on_compared: called with each comparison.
        on_failed: called with the error where it gives no answer.
    """

    def __init__(
        self,
        model: Leasable,
        share: float,
        on_compared: Compared,
        on_failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._model, self._rest = model, 1 / share - 1
        self._on_compared, self._on_failed = on_compared, on_failed
        self._slot: LatestSlot[tuple[Result, Frame]] = LatestSlot()
        self._ended = threading.Event()
        self._since_ns = 0
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, result: Result, frame: Frame) -> None:
        """A frame and what the model that serves says of it; takes microseconds."""
        self._slot.put((result, frame))

    @property
    def busy(self) -> float:
        """Seconds for which the inference under way has run; 0: there is none."""
        since = self._since_ns
        return (time.monotonic_ns() - since) * _PER_S if since else 0.0

    def close(self) -> None:
        """Take no more frames; returns at once."""
        self._ended.set()
        self._slot.close()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, once closed; False after so many seconds. None: for ever, if an inference hangs."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        request = self._model.request()
        while (item := self._slot.get()) is not None:
            result, frame = item
            del item
            self._since_ns = begun = time.monotonic_ns()
            try:
                (own,) = self._model.detect([frame], request)
            except Exception as error:
                self._since_ns = 0
                self._on_failed(error)
            else:
                took = (time.monotonic_ns() - begun) * _PER_S
                self._since_ns = 0
                self._on_compared(likeness(result, own), took)
            del result, frame
            self._ended.wait((time.monotonic_ns() - begun) * _PER_S * self._rest)
