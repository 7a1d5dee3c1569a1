"""The camera as the rest of the robot uses it: prepare, start, stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_ai.capture.base import CameraSource, printable
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.capture.session import Session, Wait, wait_for_stop
from edge_ai.capture.stamper import Stamper
from edge_ai.capture.status import CaptureState, CaptureStatus
from edge_ai.core.clock import Clock
from edge_ai.core.errors import SourceError
from edge_ai.core.params import specs
from edge_ai.core.types import Frame

__all__ = ["CaptureState", "CaptureStatus", "Capturer"]


class Capturer:
    """Captures on one daemon thread, from `start` to `stop`.

    A live source that is lost is opened again, with growing pauses, until it is back. A recording ends (ENDED), or
    starts again with index 0 where ``params.loop`` says so. If ``on_frame`` raises, capturing ends (FAILED).

    Args:
        params: what to capture and how.
        clock: stamps frames; its steady time must be ``time.monotonic_ns``, which is what sources measure on.
        on_frame: receives every frame on the camera's thread; the next one waits until it returns.
        on_status: receives every change of state on the camera's thread.
        wait: waits on an event for so many seconds and says whether it was set; tests bring their own.
    """

    def __init__(
        self,
        params: CameraParams,
        clock: Clock,
        on_frame: Callable[[Frame], None],
        on_status: Callable[[CaptureStatus], None],
        *,
        wait: Wait = wait_for_stop,
    ) -> None:
        self._params, self._clock, self._wait = params, clock, wait
        self._on_frame, self._on_status = on_frame, on_status
        self._stamper = Stamper(clock)
        self._prepared: CameraSource | None = None
        self._session: Session | None = None
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The source, without credentials."""
        return printable(self._params.source.strip())

    @property
    def status(self) -> CaptureStatus:
        """The present state and counts since `start`; cheap, from any thread."""
        session = self._session
        return session.status if session is not None else CaptureStatus()

    def prepare(self) -> None:
        """Open the source on the caller's thread and wait for its first frame; `start` then goes on with it.

        Raises:
            SourceError: there is no such source, or nothing comes from it; says why.
        """
        with self._lock:
            self.stop()
            source = create_source(self._params)
            try:
                source.open()
            except SourceError:
                source.close()
                raise
            self._prepared = source

    def start(self) -> None:
        """Begin to hand on frames. Counts start at zero; a recording not freshly prepared starts at its beginning."""
        with self._lock:
            if self._session is not None and self._session.busy:
                return
            session = Session(
                self._params, self._clock, self._stamper, self._on_frame, self._on_status, self._wait, self._prepared
            )
            self._prepared, self._session = None, session
            session.start()

    def update(self, params: CameraParams) -> None:
        """Take over the live parameters, from the next frame on; all others stay as they are. From any thread."""
        with self._lock:
            live = {spec.name: getattr(params, spec.name) for spec in specs(CameraParams) if spec.live}
            self._params = self._params.changed(**live)
            if self._session is not None:
                self._session.update(self._params)

    def stop(self) -> None:
        """End capturing and let go of the source; after it returns no further frame is handed on. May be called twice.

        Waits for an ``on_frame`` in progress, for a few seconds at most.
        """
        with self._lock:
            prepared, self._prepared = self._prepared, None
            if prepared is not None:
                prepared.close()
            if self._session is not None:
                self._session.stop()
