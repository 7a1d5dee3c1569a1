"""Frames that remember the message they came in, so that it can be sent on as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_ai.core.types import Frame, PendingFrame


@dataclass(frozen=True, slots=True)
class KeptFrame(Frame):
    """A frame and the bytes of its sensor_msgs/Image."""

    message: bytes = b""


@dataclass(frozen=True, slots=True)
class KeptPendingFrame(PendingFrame):
    """A frame still to be decoded and its sensor_msgs/CompressedImage."""

    message: Any = None


def keep(frame: Frame | PendingFrame, message: Any) -> KeptFrame | KeptPendingFrame:
    """The frame with its message."""
    if isinstance(frame, Frame):
        return KeptFrame(frame.header, frame.image, frame.encoding, frame.camera, message)
    return KeptPendingFrame(frame.header, frame.read, frame.camera, message)
