"""What a camera is doing, for messages, diagnostics and logs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class CaptureState(IntEnum):
    """The states of msg/CameraStatus.msg, by the same numbers."""

    CONNECTING = 0
    STREAMING = 1
    RECONNECTING = 2
    ENDED = 3
    FAILED = 4


@dataclass(frozen=True)
class CaptureStatus:
    """A camera at one moment; counts are since `Capturer.start`.

    Attributes:
        state: what it is doing.
        detail: why, in words; empty when all is well.
        captured: frames the source captured, those dropped included.
        dropped: frames captured but not handed on: replaced by a newer one, late on the timetable, over the rate cap.
        reconnects: times a lost source was opened again, successfully or not.
        index: 0-based index in the source of the last frame captured; -1 before the first.
    """

    state: CaptureState = CaptureState.CONNECTING
    detail: str = ""
    captured: int = 0
    dropped: int = 0
    reconnects: int = 0
    index: int = -1
