"""What the flight recorder tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RecorderState:
    """The fields of msg/RecorderStatus.msg but for its header, in its units, and the losses by topic.

    Attributes:
        buffered: seconds from the oldest message in memory to the newest.
        buffered_bytes: in memory.
        messages: taken in since it was made.
        lost: messages that are in no memory and no file though they should be, since it was made.
        recording: a file is being written.
        file: the one being written, else the newest; empty: none yet.
        reason: why it is or was written.
        files: kept in the folder.
        disk_bytes: that they take.
        fault: why nothing can be written; empty if it can.
        losses: ``lost`` by topic.
    """

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
