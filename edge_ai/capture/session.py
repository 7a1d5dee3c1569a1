"""The camera's thread, from one start to the next stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from edge_ai.capture.backoff import Backoff
from edge_ai.capture.base import CameraSource, Captured, printable
from edge_ai.capture.pacing import Pacer, RateCap, Verdict
from edge_ai.capture.params import CameraParams
from edge_ai.capture.select import create_source
from edge_ai.capture.stamper import Stamper
from edge_ai.capture.status import CaptureState, CaptureStatus
from edge_ai.core.clock import NS, Clock
from edge_ai.core.encodings import image_size
from edge_ai.core.errors import EndOfSource, SourceError
from edge_ai.core.types import Frame, FrameHeader

Wait = Callable[[threading.Event, float], bool]
_JOIN_S = 5.0
_log = logging.getLogger(__name__)


def wait_for_stop(stop: threading.Event, seconds: float) -> bool:
    """Wait so long in real time, or less if stopped; whether it was stopped."""
    return stop.wait(seconds)


class Session:
    """Keeps a source open and hands on its frames until stopped, ended or failed.

    Args:
        params, clock, on_frame, on_status, wait: as for `Capturer`.
        stamper: stamps frames.
        source: a source that is open already, or None to make and open one.
    """

    def __init__(
        self,
        params: CameraParams,
        clock: Clock,
        stamper: Stamper,
        on_frame: Callable[[Frame], None],
        on_status: Callable[[CaptureStatus], None],
        wait: Wait,
        source: CameraSource | None,
    ) -> None:
        self._params, self._clock, self._stamper, self._wait = params, clock, stamper, wait
        self._max_rate = params.max_rate
        self._on_frame, self._on_status = on_frame, on_status
        self._source, self._is_open = source, source is not None
        self._stop = threading.Event()
        self._backoff = Backoff(params.reconnect_initial, params.reconnect_factor, params.reconnect_max)
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._name = printable(params.source)
        self.status = CaptureStatus()

    @property
    def busy(self) -> bool:
        """Whether it captures or waits to."""
        return self._thread.is_alive() and not self._stop.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def update(self, params: CameraParams) -> None:
        """Take over what may change meanwhile, from the next frame on."""
        self._max_rate = params.max_rate

    def stop(self) -> None:
        """End, and wait for the thread unless called on it."""
        self._stop.set()
        self._close()
        if threading.current_thread() is self._thread:
            return
        deadline = time.monotonic() + _JOIN_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(0.1)
            self._close()  # it may have been just about to open again
        if self._thread.is_alive():
            _log.warning("camera '%s': still busy %g s after it was told to stop", self._name, _JOIN_S)

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()

    def _run(self) -> None:
        self._tell()
        try:
            while not self._stop.is_set() and self._play_once():
                pass
        except SourceError as error:
            self._change(CaptureState.FAILED, str(error))
        except Exception as error:
            _log.exception("capturing failed")
            self._change(CaptureState.FAILED, str(error) or type(error).__name__)
        finally:
            self._close()

    def _play_once(self) -> bool:
        """Play the source from its opening to its end or loss; whether to play it again."""
        began = self._clock.steady_ns()
        try:
            self._play(self._opened())
        except EndOfSource as end:
            if not self._params.loop:
                self._change(CaptureState.ENDED, str(end))
            return self._params.loop
        except SourceError as error:
            if self._stop.is_set():
                return False
            if self._source is None or not self._source.live:
                raise
            if self.status.state is CaptureState.STREAMING:
                self._backoff.streamed((self._clock.steady_ns() - began) / NS)
            self._change(CaptureState.RECONNECTING, str(error))
            self._close()
            if self._wait(self._stop, self._backoff.pause()):
                return False
            self.status = replace(self.status, reconnects=self.status.reconnects + 1)
            return True
        finally:
            self._close()
            self._is_open = False
        return False

    def _opened(self) -> CameraSource:
        if self._source is None:
            self._source = create_source(self._params)
        if not self._is_open:
            self._source.open()
        return self._source

    def _play(self, source: CameraSource) -> None:
        """Hand on frames until the source ends or is lost, which raises, or the session is stopped."""
        timetable = Pacer(1 / source.fps) if not source.live and self._params.realtime else None
        cap, last = RateCap(self._max_rate), None
        while not self._stop.is_set():
            try:
                captured = source.read()
            except EndOfSource:
                if timetable is not None and self._params.loop:
                    self._wait(self._stop, timetable.left(self._clock.steady_ns()))
                raise
            self._count(captured.index, 0 if last is None else captured.index - last - 1)
            last = captured.index
            if self.status.state is not CaptureState.STREAMING:
                self._change(CaptureState.STREAMING, "")
            instant = self._await_turn(captured, timetable)
            media = instant if captured.due_s is None else round(captured.due_s * NS)
            cap.change(self._max_rate)
            if instant is None or media is None or not cap.accepts(media):
                self.status = replace(self.status, dropped=self.status.dropped + 1)
            elif not self._stop.is_set():
                self._hand_on(captured, instant)

    def _await_turn(self, captured: Captured, timetable: Pacer | None) -> int | None:
        """The frame's steady capture time in nanoseconds, once it has come; None for a frame to leave out."""
        if timetable is None or captured.due_s is None:
            return captured.steady_ns
        plan = timetable.plan(captured.due_s, self._clock.steady_ns())
        if plan.verdict is Verdict.SKIP:
            return None
        if plan.wait_s > 0:
            self._wait(self._stop, plan.wait_s)
        return plan.due_ns

    def _hand_on(self, captured: Captured, steady_ns: int) -> None:
        stamp, steady = self._stamper.stamp(steady_ns)
        width, height = image_size(captured.image, captured.encoding)
        header = FrameHeader(stamp, steady, self._params.frame_id, captured.index, width, height)
        try:
            self._on_frame(Frame(header, captured.image, captured.encoding))
        except Exception as error:
            raise RuntimeError(
                f"frame {captured.index} could not be handed on: {type(error).__name__}: {error}"
            ) from error

    def _count(self, index: int, lost: int) -> None:
        old = self.status
        self.status = replace(old, captured=old.captured + 1 + lost, dropped=old.dropped + lost, index=index)

    def _change(self, state: CaptureState, detail: str) -> None:
        if not self._stop.is_set() and (state, detail) != (self.status.state, self.status.detail):
            self.status = replace(self.status, state=state, detail=detail)
            self._tell()

    def _tell(self) -> None:
        try:
            self._on_status(self.status)
        except Exception:
            _log.exception("reporting the camera's state failed")
