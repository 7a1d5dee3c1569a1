"""Frames for the flight recorder: which ones, and as JPEG."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from typing import Generic, TypeVar

from edge_ai.capture.pacing import RateCap
from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import ImageError
from edge_ai.core.types import Frame
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.recording import messages
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder

T = TypeVar("T")
TOPIC = "/camera/image_raw/compressed"
_QUEUE = 2
_log = logging.getLogger(__name__)


class FrameChooser(Generic[T]):
    """Chooses which frames to record: at most so many a second, and rather those that have a result.

    Frames without one are chosen only while no results come, so that a replay has as many as possible to compare.

    Args:
        rate: most frames a second.
        keep: how many frames wait for their result.
    """

    def __init__(self, rate: float, keep: int = 8) -> None:
        self._cap, self._period_ns = RateCap(rate), round(NS / rate)
        self._waiting: deque[tuple[int, T]] = deque(maxlen=keep)
        self._chosen_ns: int | None = None

    def change(self, rate: float) -> None:
        """Another rate."""
        self._cap.change(rate)
        self._period_ns = round(NS / rate)

    def captured(self, stamp_ns: int, frame: T, now_ns: int) -> T | None:
        """A frame was captured; it, if it is to be recorded now.

        Args:
            stamp_ns: its stamp, which its result will have as well.
            frame: whatever stands for it.
            now_ns: on the steady clock.
        """
        if self._chosen_ns is None:
            self._chosen_ns = now_ns
        if now_ns - self._chosen_ns > 3 * self._period_ns and self._choose(now_ns):
            return frame
        self._waiting.append((stamp_ns, frame))
        return None

    def answered(self, stamp_ns: int, now_ns: int) -> T | None:
        """A result came; its frame, if that is to be recorded now."""
        found = next((frame for stamp, frame in self._waiting if stamp == stamp_ns), None)
        return found if found is not None and self._choose(now_ns) else None

    def _choose(self, now_ns: int) -> bool:
        if not self._cap.accepts(now_ns):
            return False
        self._chosen_ns = now_ns
        return True


class FrameTap:
    """Records the frames of a robot in the same process; encodes them on a thread of its own.

    Args:
        recorder: takes them.
        params: how many, how good.
        clock: paces them.
        topic: they are recorded as.
    """

    def __init__(self, recorder: FlightRecorder, params: RecorderParams, clock: Clock, topic: str = TOPIC) -> None:
        self._recorder, self._params, self._clock, self._topic = recorder, params, clock, topic
        self._chooser: FrameChooser[Frame] = FrameChooser(params.frame_rate)
        self._lock = threading.Lock()
        self._chosen: queue.Queue[Frame | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="recorder-frames", daemon=True)
        self._thread.start()

    def update(self, params: RecorderParams) -> None:
        """Take over live parameters."""
        with self._lock:
            self._params = params
            self._chooser.change(params.frame_rate)

    def captured(self, frame: Frame) -> None:
        """A frame was captured; returns at once."""
        with self._lock:
            self._offer(self._chooser.captured(frame.header.stamp_ns, frame, self._clock.steady_ns()))

    def answered(self, frame: Frame) -> None:
        """A frame has a result; returns at once."""
        with self._lock:
            self._offer(self._chooser.answered(frame.header.stamp_ns, self._clock.steady_ns()))

    def close(self) -> None:
        """Encode what waits, and end."""
        self._chosen.put(None)
        self._thread.join(5.0)

    def _offer(self, frame: Frame | None) -> None:
        if frame is None:
            return
        try:
            self._chosen.put_nowait(frame)
        except queue.Full:
            self._recorder.lose(self._topic)

    def _run(self) -> None:
        while (frame := self._chosen.get()) is not None:
            header = frame.header
            try:
                jpeg = frame_to_jpeg(frame, self._params.jpeg_quality)
            except ImageError as error:
                _log.warning("a frame is not recorded: %s", error)
                self._recorder.lose(self._topic)
                continue
            message = messages.compressed_image(jpeg, header.stamp_ns, header.frame_id)
            self._recorder.put(self._topic, messages.COMPRESSED_IMAGE, message, header.stamp_ns)
