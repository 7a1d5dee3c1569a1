"""The contract of a camera source, and what one frame of it is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from edge_ai.capture.params import CameraParams
from edge_ai.core.types import Image

S = TypeVar("S", bound="CameraSource")


@dataclass(frozen=True)
class Captured:
    """One frame as its source gives it.

    Attributes:
        image: (H, W, 3) or (H, W) uint8, possibly read-only; never changed after it was given.
        encoding: sensor_msgs encoding of ``image``, mostly "bgr8".
        index: 0-based index in the source; a gap means frames the source lost or replaced by newer ones.
        steady_ns: when it was captured, CLOCK_MONOTONIC (``time.monotonic_ns``), as near as the source can tell.
        due_s: its time in the recording in seconds, 0 for the first; None for live sources.
    """

    image: Image
    encoding: str
    index: int
    steady_ns: int
    due_s: float | None = None


class CameraSource(ABC):
    """Something that gives frames one after the other.

    The constructor touches neither files nor devices. One thread opens and reads; any thread may close. A closed source
    may be opened again, a recording then starts at its beginning.

    Args:
        params: the camera's parameters; ``params.source`` says what to open.
        address: ``params.source`` without the prefix that named this kind.

    Attributes:
        live: frames exist only while they are read, so losing the source means connecting again; False for recordings,
            whose frames wait and carry `Captured.due_s`.
        fps: nominal frames a second, known once open; 0 where the source does not say.
    """

    live = True
    fps = 0.0

    def __init__(self, params: CameraParams, address: str) -> None:
        self.params = params
        self.address = address

    @property
    def name(self) -> str:
        """What the source is called in logs and messages: ``params.source`` without credentials."""
        return printable(self.params.source.strip())

    @abstractmethod
    def open(self) -> None:
        """Connect, and wait until the first frame is there, in bounded time.

        Raises:
            SourceError: there is nothing to open, or no first frame; says why.
        """

    @abstractmethod
    def read(self) -> Captured:
        """The next frame of a recording, or the newest of a live source that was not read before; in bounded time.

        Raises:
            SourceError: the source is lost, closed or silent for longer than ``params.read_timeout``.
            EndOfSource: a recording has no more frames.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; may be called twice, from any thread, and makes a waiting `read` end soon."""

    def __enter__(self: S) -> S:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_USERINFO = re.compile(r"(?<!synthetic)://[^\s\"']*@")  # there the text before @ is a size
_SECRET = re.compile(
    r"(?i)\b((?:user|username|login|usr|user-id|user-pw|pass|passwd|password|pwd|token|api_?key|key|secret|auth)\s*=\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s&#\"']+)"
)


def printable(text: str) -> str:
    """The text with user names, passwords and tokens of URLs and pipelines replaced by ``***``.

    Example:
        >>> printable("rtsp://me:secret@cam/stream?token=1f")
        'rtsp://***@cam/stream?token=***'
    """
    return _SECRET.sub(r"\1***", _USERINFO.sub("://***@", text))
