"""Messages that hold until the next one: transforms, calibrations, the model's card."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from edge_ai.recording.ring import Entry

_VERSIONS = 4
"""How many of one publisher are remembered; more than one, so that a recording begins with what held then."""


class Lasting:
    """The newest message of each topic and publisher, and a few before it.

    Args:
        max_bytes: a larger message is not taken in.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._found: dict[tuple[str, str], deque[Entry]] = {}

    def add(self, entry: Entry, key: str) -> bool:
        """Remember a message of the publisher ``key``; whether it was taken in."""
        if entry.size > self._max_bytes:
            return False
        self._found.setdefault((entry.topic, key), deque(maxlen=_VERSIONS)).append(entry)
        return True

    def since(self, oldest_ns: int, stamp_ns: int) -> list[Entry]:
        """What held at a moment, and what came after it, in order.

        Args:
            oldest_ns: the moment, on the steady clock.
            stamp_ns: the same in ROS time: where in the file the first of them are put.
        """
        entries: list[Entry] = []
        for found in self._found.values():
            before = [entry for entry in found if entry.steady_ns <= oldest_ns]
            entries += [replace(entry, stamp_ns=stamp_ns) for entry in before[-1:]]
            entries += [entry for entry in found if entry.steady_ns > oldest_ns]
        return sorted(entries, key=lambda entry: entry.number)
