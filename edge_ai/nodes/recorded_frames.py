"""Images of one camera for the flight recorder, as they come over the wire: which ones, and as JPEG."""

from __future__ import annotations

import logging
import struct

import cv2

from edge_ai.core.clock import NS, Clock
from edge_ai.core.errors import ImageError
from edge_ai.nodes import images
from edge_ai.processing.jpeg import frame_to_jpeg
from edge_ai.recording import messages
from edge_ai.recording.frames import FrameChooser
from edge_ai.recording.params import RecorderParams
from edge_ai.recording.recorder import FlightRecorder

log = logging.getLogger(__name__)

_ENDIAN = {0: ">", 1: "<"}


class RecordedFrames:
    """Chooses images, rather those that have a result, and encodes them; for one thread.

    Args:
        recorder: takes them.
        clock: of the node.
        topic: of the images; they are recorded below it, as "compressed".
        rate: most images a second.
    """

    def __init__(self, recorder: FlightRecorder, clock: Clock, topic: str, rate: float) -> None:
        self._recorder, self._clock, self.topic = recorder, clock, f"{topic}/compressed"
        self._rate = rate
        self._chooser: FrameChooser[bytes] = FrameChooser(rate)

    def captured(self, image: bytes, params: RecorderParams) -> None:
        """The bytes of an image have come."""
        if params.frame_rate != self._rate:
            self._rate = params.frame_rate
            self._chooser.change(self._rate)
        self._record(self._chooser.captured(stamp_of(image), image, self._clock.steady_ns()), params)

    def answered(self, result: bytes, params: RecorderParams) -> None:
        """The bytes of a result have come."""
        self._record(self._chooser.answered(stamp_of(result), self._clock.steady_ns()), params)

    def _record(self, image: bytes | None, params: RecorderParams) -> None:
        if image is None:
            return
        try:
            frame = images.frame_from_cdr(image, self._clock)
            jpeg = frame_to_jpeg(frame, params.jpeg_quality)
        except (ImageError, cv2.error) as error:
            log.warning("an image is not recorded: %s", error)
            self._recorder.lose(self.topic)
            return
        header = frame.header
        data = messages.compressed_image(jpeg, header.stamp_ns, header.frame_id)
        self._recorder.put(self.topic, messages.COMPRESSED_IMAGE, data, header.stamp_ns)


def stamp_of(message: bytes) -> int:
    """The stamp, in ns, of a message that begins with a header, from its CDR."""
    sec, nanosec = struct.unpack_from(f"{_ENDIAN[message[1] & 1]}iI", message, 4)
    return int(sec * NS + nanosec)
