"""The flight recorder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_ai.core.clock import Clock
from edge_ai.recording.params import RecorderParams


@dataclass(frozen=True, slots=True)
class RecorderState:
    """The fields of msg/RecorderStatus.msg, in its units, and the losses by topic."""

    buffered: float = 0.0
    buffered_bytes: int = 0
    messages: int = 0
    lost: int = 0
    recording: bool = False
    file: str = ""
    reason: str = ""
    files: int = 0
    disk_bytes: int = 0
    fault: str = ""
    losses: Mapping[str, int] = field(default_factory=dict)


class FlightRecorder:
    """Keeps the last seconds of all messages in memory and writes them, and what follows, when something happens.

    Nothing here waits for a disk but `close`; all methods may be called from any thread.

    Args:
        params: how much to keep, and where.
        clock: lengths are measured on its steady clock; its stamps name the files.
    """

    def __init__(self, params: RecorderParams, clock: Clock) -> None:
        raise NotImplementedError

    def declare(self, topic: str, schema: str) -> None:
        """Make a topic known before its first message.

        Raises:
            EdgeAIError: the definition of its type ("sensor_msgs/msg/Image") is not to be found on this machine.
        """

    def put(self, topic: str, schema: str, data: bytes, stamp_ns: int) -> None:
        """Take in a message.

        Args:
            topic: "/camera/status"; without a slash in front one is put there.
            schema: its type, "edge_ai/msg/CameraStatus".
            data: CDR, the four bytes of encapsulation included.
            stamp_ns: when it was received, or published, in ROS time.
        """

    def latch(self, topic: str, schema: str, data: bytes, stamp_ns: int, key: str = "") -> None:
        """Take in a message that holds until the next one: each file begins with the newest.

        Args:
            topic, schema, data, stamp_ns: as for `put`.
            key: tells publishers of one topic apart, each of which has its own newest one (/tf_static).
        """

    def lose(self, topic: str, count: int = 1) -> None:
        """Count messages that were lost before they came here."""

    def trigger(self, reason: str) -> Path:
        """Begin a recording, or prolong the one under way.

        Args:
            reason: in words; becomes part of the file's name and content.

        Returns:
            The file.
        """
        raise NotImplementedError

    def update(self, params: RecorderParams) -> None:
        """Take over live parameters."""

    @property
    def status(self) -> RecorderState:
        """Its state now."""
        raise NotImplementedError

    def close(self, patience: float = 10.0) -> None:
        """Write what a recording under way holds by now, for up to ``patience`` seconds, and end."""
